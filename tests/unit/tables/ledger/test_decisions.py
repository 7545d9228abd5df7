"""Each rule of buying, applied by the ledger, with its reason and figures."""

from decimal import Decimal
from uuid import UUID

import pytest
from msgspec.structs import replace

from tables.messages.commands import Hold
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus, PurchaseStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    EVENT,
    FACTS,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    LedgerDriver,
    balance,
    codes,
    lines,
    moment,
    purchase_id,
    refusal_of,
    refused,
    rejected,
    ticket_type,
)


def test_a_purchase_is_confirmed_with_all_that_a_mail_needs(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, 10), ticket_type(STAND, 5, price=Decimal("0.05")))
    outcome = driver.buy(1, [(STAND, 1), (FLOOR, 2)])
    fingerprint = outcome.fingerprint
    assert len(fingerprint) == 24
    assert outcome == Outcome(
        kind=OutcomeKind.CONFIRMED,
        event=EVENT,
        offset=1,
        at=moment(NOW),
        purchase=purchase_id(1),
        account=ADA,
        status=PurchaseStatus.CONFIRMED,
        lines=(
            OutcomeLine(STAND, "type F2", 1, Decimal("0.05"), codes(1, 0)),
            OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90"), codes(1, 1, 2)),
        ),
        total=MoneyAmount(Decimal("99.85"), "EUR"),
        fingerprint=fingerprint,
        facts=FACTS,
        balance=(balance(STAND, 5, 0, 1), balance(FLOOR, 10, 0, 2)),
        as_of=1,
    )


def test_ten_buyers_of_the_last_ticket_get_one_ticket(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=1))
    outcomes = [driver.buy(number, account=UUID(int=number)) for number in range(10)]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.CONFIRMED] + [OutcomeKind.REJECTED] * 9
    assert driver.stock() == (0, 1)


def test_a_purchase_of_an_unknown_event_is_rejected_and_stays_so_when_the_event_comes(driver: LedgerDriver) -> None:
    assert refusal_of(driver.buy(1)) == rejected(Reason.UNKNOWN_EVENT)
    driver.define(ticket_type())
    assert refusal_of(driver.buy(1)) == rejected(Reason.UNKNOWN_EVENT)
    assert driver.buy(2).kind is OutcomeKind.CONFIRMED
    assert driver.stock() == (0, 1)


@pytest.mark.parametrize("status", set(EventStatus) - {EventStatus.ACTIVE}, ids=str)
def test_an_event_that_is_not_active_sells_nothing(driver: LedgerDriver, status: EventStatus) -> None:
    driver.define(ticket_type(), status=status)
    refusal = rejected(Reason.EVENT_NOT_OPEN, status=status.value)
    assert refusal_of(driver.buy(1)) == refusal
    assert refusal_of(driver.hold(2)) == refusal
    assert driver.stock() == (0, 0)


def test_a_ticket_type_that_the_event_lacks_is_rejected_by_its_id(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR))
    assert refusal_of(driver.buy(1, [(FLOOR, 1), (STAND, 1)])) == rejected(
        Reason.UNKNOWN_TICKET_TYPE, ticketType=str(STAND)
    )
    assert driver.stock() == (0, 0)


def test_a_sale_begins_at_its_first_moment_and_not_a_millisecond_earlier(driver: LedgerDriver) -> None:
    start = moment(NOW + 5_250)
    driver.define(ticket_type(sale_starts_at=start))
    driver.at = NOW + 5_249
    window = {"ticketType": str(FLOOR), "saleStartsAt": start.isoformat()}
    assert refusal_of(driver.buy(1)) == rejected(Reason.NOT_ON_SALE, **window)
    driver.at = NOW + 5_250
    assert driver.buy(2).kind is OutcomeKind.CONFIRMED


def test_a_sale_ends_before_its_last_moment(driver: LedgerDriver) -> None:
    start, end = moment(NOW - 5_000), moment(NOW + 5_000)
    driver.define(ticket_type(sale_starts_at=start, sale_ends_at=end))
    driver.at = NOW + 4_999
    assert driver.buy(1).kind is OutcomeKind.CONFIRMED
    driver.at = NOW + 5_000
    window = {"ticketType": str(FLOOR), "saleStartsAt": start.isoformat(), "saleEndsAt": end.isoformat()}
    assert refusal_of(driver.buy(2)) == rejected(Reason.NOT_ON_SALE, **window)


def test_an_order_may_not_have_more_of_a_type_than_its_limit_however_the_lines_are_split(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, max_per_order=3), ticket_type(STAND))
    over = rejected(Reason.ORDER_LIMIT_EXCEEDED, limit=3, requested=4, ticketType=str(FLOOR))
    assert refusal_of(driver.buy(1, [(FLOOR, 2), (STAND, 5), (FLOOR, 2)])) == over
    assert driver.buy(2, [(FLOOR, 2), (STAND, 5), (FLOOR, 1)]).kind is OutcomeKind.CONFIRMED


def test_an_order_may_not_have_more_of_all_types_than_the_events_limit(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND), max_per_order=3)
    over = rejected(Reason.ORDER_LIMIT_EXCEEDED, limit=3, requested=4)
    assert refusal_of(driver.buy(1, [(FLOOR, 2), (STAND, 2)])) == over
    assert driver.buy(2, [(FLOOR, 2), (STAND, 1)]).kind is OutcomeKind.CONFIRMED
    assert driver.buy(3, [(FLOOR, 2), (STAND, 1)]).kind is OutcomeKind.CONFIRMED


def test_an_account_may_not_have_more_of_a_type_than_its_limit_over_all_its_orders(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, max_per_account=3), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 1), (STAND, 5)])
    driver.hold(2, [(FLOOR, 1)])
    over = rejected(Reason.PURCHASE_LIMIT_EXCEEDED, limit=3, requested=2, alreadyHas=2, ticketType=str(FLOOR))
    assert refusal_of(driver.buy(3, [(FLOOR, 2)])) == over
    assert driver.buy(4, [(FLOOR, 2)], account=BOB).kind is OutcomeKind.CONFIRMED
    assert driver.buy(5, [(FLOOR, 1)]).kind is OutcomeKind.CONFIRMED
    assert driver.counts() == {FLOOR: 3, STAND: 5}


def test_an_account_may_not_have_more_of_all_types_than_the_events_limit(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND), max_per_account=3)
    driver.buy(1, [(FLOOR, 1)])
    driver.hold(2, [(STAND, 1)])
    over = rejected(Reason.PURCHASE_LIMIT_EXCEEDED, limit=3, requested=2, alreadyHas=2)
    assert refusal_of(driver.buy(3, [(FLOOR, 2)])) == over
    assert driver.buy(4, [(FLOOR, 2)], account=BOB).kind is OutcomeKind.CONFIRMED
    assert driver.buy(5, [(STAND, 1)]).kind is OutcomeKind.CONFIRMED


def test_what_an_account_gave_back_no_longer_counts_against_its_limit(driver: LedgerDriver) -> None:
    driver.define(ticket_type(max_per_account=2))
    driver.buy(1, [(FLOOR, 1)])
    driver.hold(2, [(FLOOR, 1)], seconds=1)
    driver.cancel(1)
    driver.at += 1_000
    driver.expire(2)
    assert driver.counts() == {}
    assert driver.buy(3, [(FLOOR, 2)]).kind is OutcomeKind.CONFIRMED


def test_what_an_account_has_of_one_event_does_not_count_for_another(driver: LedgerDriver) -> None:
    driver.define(ticket_type(max_per_account=1))
    driver.define(ticket_type(max_per_account=1), event=OTHER_EVENT)
    assert driver.buy(1).kind is OutcomeKind.CONFIRMED
    assert driver.buy(1, event=OTHER_EVENT).kind is OutcomeKind.CONFIRMED
    assert driver.stock() == (0, 1)


def test_an_event_sells_no_more_than_its_capacity_over_all_types(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND), capacity=5)
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2, [(STAND, 1)])
    over = rejected(Reason.CAPACITY_EXCEEDED, limit=5, requested=3, available=2)
    assert refusal_of(driver.buy(3, [(FLOOR, 1), (STAND, 2)])) == over
    assert driver.buy(4, [(FLOOR, 1), (STAND, 1)]).kind is OutcomeKind.CONFIRMED


def test_a_capacity_below_what_is_out_leaves_nothing_rather_than_less(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 4)])
    driver.define(ticket_type(), version=2, capacity=3)
    assert refusal_of(driver.buy(2)) == rejected(Reason.CAPACITY_EXCEEDED, limit=3, requested=1, available=0)
    driver.cancel(1, [(FLOOR, 2)])
    assert driver.buy(3).kind is OutcomeKind.CONFIRMED


def test_a_sold_out_type_says_what_is_left_and_what_is_only_held(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=5))
    driver.buy(1, [(FLOOR, 1)])
    driver.hold(2, [(FLOOR, 2)])
    out = rejected(Reason.SOLD_OUT, limit=5, requested=3, ticketType=str(FLOOR), available=2, held=2)
    assert refusal_of(driver.buy(3, [(FLOOR, 3)])) == out
    assert refusal_of(driver.hold(4, [(FLOOR, 3)])) == out
    assert driver.buy(5, [(FLOOR, 2)]).kind is OutcomeKind.CONFIRMED


def test_one_order_has_one_currency(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND, currency="CHF"), ticket_type(BOX))
    assert refusal_of(driver.buy(1, [(FLOOR, 1), (STAND, 1)])) == rejected(Reason.MIXED_CURRENCIES)
    assert driver.buy(2, [(STAND, 1)]).total == MoneyAmount(Decimal("49.90"), "CHF")
    assert driver.buy(3, [(FLOOR, 1), (BOX, 1)]).total == MoneyAmount(Decimal("99.80"), "EUR")


def test_all_lines_are_sold_or_none(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, 10), ticket_type(STAND, 1), ticket_type(BOX, 10))
    out = rejected(Reason.SOLD_OUT, limit=1, requested=2, ticketType=str(STAND), available=1, held=0)
    assert refusal_of(driver.buy(1, [(FLOOR, 3), (STAND, 2), (BOX, 3)])) == out
    assert [driver.stock(kind) for kind in (FLOOR, STAND, BOX)] == [(0, 0)] * 3
    assert driver.counts() == {}


def test_lines_of_one_type_are_merged_where_the_type_was_first_named(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    outcome = driver.buy(1, [(FLOOR, 1), (STAND, 1), (FLOOR, 2)])
    assert [(line.ticket_type, line.quantity, line.codes) for line in outcome.lines] == [
        (FLOOR, 3, codes(1, 0, 1, 2)),
        (STAND, 1, codes(1, 3)),
    ]
    assert driver.stock() == (0, 3)


def test_split_lines_cannot_slip_past_the_stock(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=3))
    out = rejected(Reason.SOLD_OUT, limit=3, requested=4, ticketType=str(FLOOR), available=3, held=0)
    assert refusal_of(driver.buy(1, [(FLOOR, 2), (FLOOR, 2)])) == out


def test_the_first_broken_rule_is_the_one_that_is_told(driver: LedgerDriver) -> None:
    closed = {"sale_ends_at": moment(NOW)}
    driver.define(
        ticket_type(FLOOR, 0, max_per_order=1, max_per_account=1, **closed),
        ticket_type(STAND, 0, currency="CHF"),
        capacity=0,
        max_per_order=1,
        max_per_account=1,
    )
    reasons = [driver.buy(1, [(FLOOR, 2), (STAND, 2)]).reason]
    driver.define(
        ticket_type(FLOOR, 0),
        ticket_type(STAND, 0, currency="CHF"),
        version=2,
        capacity=0,
        max_per_order=1,
        max_per_account=1,
    )
    reasons.append(driver.buy(2, [(FLOOR, 1), (STAND, 1)]).reason)
    driver.define(
        ticket_type(FLOOR, 0), ticket_type(STAND, 0, currency="CHF"), version=3, capacity=0, max_per_account=1
    )
    reasons.append(driver.buy(3, [(FLOOR, 1), (STAND, 1)]).reason)
    driver.define(ticket_type(FLOOR, 0), ticket_type(STAND, 0, currency="CHF"), version=4, capacity=0)
    reasons.append(driver.buy(4, [(FLOOR, 1), (STAND, 1)]).reason)
    driver.define(ticket_type(FLOOR, 0), ticket_type(STAND, 0), version=5, capacity=0)
    reasons.append(driver.buy(5, [(FLOOR, 1), (STAND, 1)]).reason)
    assert reasons == [
        Reason.NOT_ON_SALE,
        Reason.ORDER_LIMIT_EXCEEDED,
        Reason.PURCHASE_LIMIT_EXCEEDED,
        Reason.MIXED_CURRENCIES,
        Reason.SOLD_OUT,
    ]


def test_a_rejected_purchase_is_on_record_as_rejected(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=0))
    first = driver.buy(1)
    assert (first.status, first.account, first.balance) == (PurchaseStatus.REJECTED, ADA, ())
    driver.define(ticket_type(quantity=5), version=2)
    again = driver.buy(1)
    assert (again.kind, again.offset, again.reason) == (OutcomeKind.REJECTED, first.offset, Reason.SOLD_OUT)
    assert driver.stock() == (0, 0)


def test_the_same_body_under_the_same_id_gets_the_first_answer(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    first = driver.buy(1, [(FLOOR, 2), (STAND, 1)])
    driver.at += 1_000
    again = driver.buy(1, [(STAND, 1), (FLOOR, 1), (FLOOR, 1)])
    assert again == replace(first, repeated=True)
    assert (driver.stock(FLOOR), driver.stock(STAND)) == ((0, 2), (0, 1))


def test_a_purchase_sent_again_after_its_cancellation_gets_the_first_answer_and_no_ticket(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    first = driver.buy(1)
    driver.cancel(1)
    again = driver.buy(1)
    assert (again.kind, again.offset, again.status) == (OutcomeKind.CONFIRMED, first.offset, PurchaseStatus.CONFIRMED)
    assert again.lines == first.lines
    assert driver.stock() == (0, 0)


def test_another_body_under_a_used_id_is_refused(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    first = driver.buy(1, [(FLOOR, 1)])
    others = [
        driver.buy(1, [(FLOOR, 2)]),
        driver.buy(1, [(STAND, 1)]),
        driver.buy(1, [(FLOOR, 1)], account=BOB),
        driver.hold(1, [(FLOOR, 1)]),
    ]
    assert [refusal_of(other) for other in others] == [refused(Reason.ID_REUSED)] * 4
    assert [other.offset for other in others] == [2, 3, 4, 5]
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert driver.stock(FLOOR) == (0, 1)


def test_a_hold_for_another_time_is_another_body(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, seconds=60)
    assert driver.hold(1, seconds=60).kind is OutcomeKind.HELD
    assert refusal_of(driver.hold(1, seconds=61)) == refused(Reason.ID_REUSED)


def defaulted(seconds: int, number: int = 1) -> Hold:
    """A hold whose length the operator's setting chose."""
    return Hold(EVENT, purchase_id(number), ADA, lines([(FLOOR, 1)]), seconds, by_default=True)


@pytest.mark.parametrize(("before", "after"), [(600, 300), (300, 600)])
@pytest.mark.parametrize("quantity", [10, 0], ids=["held", "rejected"])
def test_a_hold_sent_again_after_its_default_was_changed_gets_the_first_answer(
    driver: LedgerDriver, before: int, after: int, quantity: int
) -> None:
    driver.define(ticket_type(quantity=quantity))
    first = driver.send(defaulted(before))
    assert first is not None
    assert driver.send(defaulted(after)) == replace(first, repeated=True)


def test_a_hold_for_a_time_that_the_buyer_chose_is_another_body_than_one_for_the_default(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.send(defaulted(600))
    assert refusal_of(driver.hold(1, seconds=600)) == refused(Reason.ID_REUSED)


def test_a_hold_on_record_of_a_version_that_knew_no_default_gets_its_answer(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    first = driver.hold(1, seconds=600)
    assert driver.send(defaulted(600)) == replace(first, repeated=True)
