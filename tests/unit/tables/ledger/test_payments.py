"""Purchases of events that are paid online: held until they are confirmed with a payment."""

from decimal import Decimal
from typing import Any

import pytest

from tables.ledger.hold_limits import HOLD_LIMITS_KEY, HoldLimits, decode_limits, encode_limits
from tables.ledger.records import same_record
from tables.messages.commands import Confirm
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind
from tables.messages.payment_modes import PaymentMode
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    EVENT,
    FLOOR,
    NOW,
    STAND,
    LedgerDriver,
    codes,
    ledger_on,
    moment,
    purchase_id,
    refusal_of,
    refused,
    rejected,
    ticket_type,
)

TYPES = (
    ticket_type(FLOOR, 300),
    ticket_type(STAND, 300, price=Decimal("12.5")),
    ticket_type(BOX, 300, price=Decimal(0)),
)
PAYMENT_REQUIRED = refused(Reason.PAYMENT_REQUIRED, amount="99.80", currency="EUR")


def define(driver: LedgerDriver, version: int = 1, **changes: Any) -> None:
    driver.define(*TYPES, version=version, **{"payment": PaymentMode.ONLINE} | changes)


@pytest.fixture
def driver(driver: LedgerDriver) -> LedgerDriver:
    """Two types with a price and a free one, paid online."""
    define(driver)
    return driver


def eur(amount: str) -> MoneyAmount:
    return MoneyAmount(Decimal(amount), "EUR")


def told(outcome: Outcome) -> tuple[OutcomeKind, PurchaseStatus | None, MoneyAmount | None]:
    return outcome.kind, outcome.status, outcome.payment


def test_what_has_a_price_is_held_until_it_is_paid(driver: LedgerDriver) -> None:
    outcome = driver.buy(1, [(FLOOR, 2)])
    assert told(outcome) == (OutcomeKind.HELD, PurchaseStatus.HELD, eur("99.80"))
    assert outcome.deadline == moment(NOW + 900_000)
    assert driver.stock() == (2, 0)
    assert driver.buy(1, [(FLOOR, 2)]).repeated


def test_free_tickets_are_sold_at_once(driver: LedgerDriver) -> None:
    outcome = driver.buy(1, [(BOX, 2)])
    assert told(outcome) == (OutcomeKind.CONFIRMED, PurchaseStatus.CONFIRMED, None)
    assert outcome.lines[0].codes == codes(1, 0, 1)


def test_an_order_with_free_tickets_is_held_as_one(driver: LedgerDriver) -> None:
    outcome = driver.buy(1, [(BOX, 1), (STAND, 2)])
    assert told(outcome) == (OutcomeKind.HELD, PurchaseStatus.HELD, eur("25.0"))
    assert driver.stock(BOX) == (1, 0)


def test_without_online_payment_a_purchase_is_sold_at_once_and_a_hold_needs_no_payment(driver: LedgerDriver) -> None:
    define(driver, 2, payment=PaymentMode.NONE)
    assert told(driver.buy(1)) == (OutcomeKind.CONFIRMED, PurchaseStatus.CONFIRMED, None)
    assert told(driver.hold(2)) == (OutcomeKind.HELD, PurchaseStatus.HELD, None)
    assert driver.confirm(2).kind is OutcomeKind.CONFIRMED


def test_a_confirm_without_a_payment_is_refused_and_one_with_it_sells(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 2)])
    assert refusal_of(driver.confirm(1)) == PAYMENT_REQUIRED
    outcome = driver.confirm(1, payment="pi_1")
    assert told(outcome) == (OutcomeKind.CONFIRMED, PurchaseStatus.CONFIRMED, eur("99.80"))
    assert (outcome.reference, driver.stock()) == ("pi_1", (0, 2))


def test_a_second_payment_gets_the_confirmation_of_the_first(driver: LedgerDriver) -> None:
    driver.buy(1)
    driver.confirm(1, payment="pi_1")
    again = driver.confirm(1, payment="pi_2")
    assert (again.kind, again.reference, again.repeated) == (OutcomeKind.CONFIRMED, "pi_1", True)


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_a_payment_after_the_end_of_its_hold_confirms_nothing(driver: LedgerDriver, end: str) -> None:
    driver.buy(1)
    driver.at += 900_000
    ended = getattr(driver, end)(1)
    assert ended.payment == eur("0")
    refusal = driver.confirm(1, payment="pi_1")
    assert refusal_of(refusal) == refused(Reason.NOT_HELD, status=ended.status.value)
    assert (refusal.reference, driver.stock()) == (None, (0, 0))


def test_a_strangers_payment_confirms_nothing(driver: LedgerDriver) -> None:
    driver.buy(1)
    assert refusal_of(driver.confirm(1, account=BOB, payment="pi_1")) == refused(Reason.NOT_YOURS)


def test_an_explicit_hold_must_be_paid_too(driver: LedgerDriver) -> None:
    outcome = driver.hold(1, [(FLOOR, 2)], seconds=60)
    assert (outcome.payment, outcome.deadline) == (eur("99.80"), moment(NOW + 60_000))
    assert refusal_of(driver.confirm(1)) == PAYMENT_REQUIRED


def test_what_is_left_after_a_partial_cancel_is_due(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 3), (BOX, 1)])
    outcome = driver.cancel(1, [(FLOOR, 1)], request=purchase_id(9))
    assert told(outcome) == (OutcomeKind.CANCELLED, PurchaseStatus.HELD, eur("99.80"))
    assert outcome.deadline == moment(NOW + 900_000)
    assert refusal_of(driver.confirm(1)) == PAYMENT_REQUIRED
    assert driver.cancel(1, [(FLOOR, 2)], request=purchase_id(8)).payment == eur("0.00")
    assert driver.confirm(1).kind is OutcomeKind.CONFIRMED


def test_a_confirmed_purchase_tells_what_its_rest_is_worth(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 3)])
    driver.confirm(1, payment="pi_1")
    assert driver.cancel(1, [(FLOOR, 1)], request=purchase_id(9)).payment == eur("99.80")
    assert driver.cancel(1).payment == eur("0")


@pytest.mark.parametrize("before", PaymentMode)
def test_a_purchase_is_paid_as_the_event_said_when_it_was_made(driver: LedgerDriver, before: PaymentMode) -> None:
    define(driver, 2, payment=before)
    driver.hold(1, [(FLOOR, 2)])
    [after] = set(PaymentMode) - {before}
    define(driver, 3, payment=after)
    outcome = driver.confirm(1)
    assert outcome.kind is (OutcomeKind.CONFIRMED if before is PaymentMode.NONE else OutcomeKind.REFUSED)
    assert driver.hold(1, [(FLOOR, 2)]).payment == (None if before is PaymentMode.NONE else eur("99.80"))


def test_the_time_to_pay_is_the_operators_and_within_the_limit_on_holds(driver: LedgerDriver) -> None:
    driver.limit_holds(payment=120)
    assert driver.buy(1).deadline == moment(NOW + 120_000)
    driver.limit_holds(seconds=60, payment=120)
    assert driver.buy(2).deadline == moment(NOW + 60_000)
    driver.limit_holds(seconds=60)
    assert driver.buy(3).deadline == moment(NOW + 60_000)


def test_what_must_be_paid_counts_as_held(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=4, cooldown=60)
    driver.buy(1, [(FLOOR, 3)])
    limited = rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3)
    assert refusal_of(driver.buy(2, [(FLOOR, 2)])) == limited
    assert driver.buy(3, [(BOX, 4)]).kind is OutcomeKind.CONFIRMED
    driver.cancel(1)
    again = rejected(Reason.HOLD_TOO_SOON, limit=60, ticketType=str(FLOOR), retryAt=moment(NOW + 60_000).isoformat())
    assert refusal_of(driver.buy(4)) == again


def test_a_hold_is_lengthened_once(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 2)])
    outcome = driver.extend(1, 600)
    assert told(outcome) == (OutcomeKind.HELD, PurchaseStatus.HELD, eur("99.80"))
    assert (outcome.deadline, outcome.repeated) == (moment(NOW + 1_500_000), False)
    again = driver.extend(1, 900)
    assert (again.deadline, again.offset, again.repeated) == (outcome.deadline, outcome.offset, True)
    assert (driver.stock(), driver.counts()) == ((2, 0), {FLOOR: 2})


def test_a_purchase_that_is_sent_again_has_its_first_deadline_and_the_lengthening_is_told_apart(
    driver: LedgerDriver,
) -> None:
    first = driver.buy(1, [(FLOOR, 2)])
    assert driver.extend(1, 600).extended
    again = driver.buy(1, [(FLOOR, 2)])
    assert (again.deadline, again.at, again.extended, again.repeated) == (first.deadline, first.at, False, True)


def test_a_lengthened_hold_ends_at_its_later_deadline(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 2)])
    driver.extend(1, 600)
    driver.cancel(1, [(FLOOR, 1)], request=purchase_id(9))
    driver.at += 1_499_999
    assert refusal_of(driver.expire(1)) == refused(Reason.NOT_HELD, status="held")
    driver.at += 1
    assert driver.expire(1).kind is OutcomeKind.EXPIRED
    assert driver.stock() == (0, 0)


def test_a_lengthened_hold_is_confirmed_with_its_payment(driver: LedgerDriver) -> None:
    driver.buy(1, [(FLOOR, 2)])
    driver.extend(1)
    assert refusal_of(driver.confirm(1)) == PAYMENT_REQUIRED
    assert driver.confirm(1, payment="pi_1").lines[0].codes == codes(1, 0, 1)
    assert (driver.stock(), driver.extend(1).repeated) == ((0, 2), True)


def test_only_an_open_hold_is_lengthened(driver: LedgerDriver) -> None:
    assert refusal_of(driver.extend(1)) == refused(Reason.UNKNOWN_PURCHASE)
    driver.buy(1, [(BOX, 1)])
    assert refusal_of(driver.extend(1)) == refused(Reason.NOT_HELD, status="confirmed")
    driver.buy(2)
    driver.cancel(2)
    assert refusal_of(driver.extend(2)) == refused(Reason.NOT_HELD, status="cancelled")


def test_a_replayed_confirmation_is_told_with_its_payment(driver: LedgerDriver) -> None:
    driver.buy(1)
    first = driver.confirm(1, payment="pi_1")
    driver.store()
    command = Confirm(EVENT, purchase_id(1), ADA, payment="pi_1")
    [again] = ledger_on(driver.table).apply(driver.offset, driver.at, command).outcomes
    assert again == first


def test_limits_that_an_earlier_version_recorded_are_the_same_record() -> None:
    earlier = b"\x95\x05\x02\xcd\x02X\xc0<"
    limits = HoldLimits(5, 2, 600, None, 60)
    assert decode_limits(earlier) == limits
    assert same_record(HOLD_LIMITS_KEY, earlier, encode_limits(limits))
    assert not same_record(HOLD_LIMITS_KEY, earlier, encode_limits(HoldLimits(5, 2, 600, None, 60, 900)))
