"""Cancelling purchases, as a whole or in part."""

from decimal import Decimal
from uuid import UUID

import pytest
from msgspec.structs import replace

import tables.ledger.purchase_changes
from tables.messages.outcomes import MoneyAmount, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import (
    FLOOR,
    STAND,
    LedgerDriver,
    balance,
    codes,
    refusal_of,
    refused,
    ticket_type,
)

REQUEST = UUID(int=0xC1)
OTHER_REQUEST = UUID(int=0xC2)
THIRD_REQUEST = UUID(int=0xC3)


@pytest.mark.parametrize("sold", [True, False], ids=["sold", "held"])
def test_a_whole_purchase_can_be_cancelled(driver: LedgerDriver, sold: bool) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    wanted = [(FLOOR, 2), (STAND, 1)]
    bought = driver.buy(1, wanted) if sold else driver.hold(1, wanted)
    outcome = driver.cancel(1)
    assert (outcome.kind, outcome.status) == (OutcomeKind.CANCELLED, PurchaseStatus.CANCELLED)
    assert (outcome.lines, outcome.left, outcome.total) == (bought.lines, (), bought.total)
    assert outcome.balance == (balance(FLOOR, 10, 0, 0), balance(STAND, 10, 0, 0))
    assert driver.counts() == {}


def test_a_part_that_is_cancelled_is_the_last_tickets_of_its_line(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 3), (STAND, 2)])
    outcome = driver.cancel(1, [(STAND, 1), (FLOOR, 1)])
    price = Decimal("49.90")
    assert outcome.status is PurchaseStatus.CONFIRMED
    assert outcome.lines == (
        OutcomeLine(STAND, "type F2", 1, price, codes(1, 4)),
        OutcomeLine(FLOOR, "type F1", 1, price, codes(1, 2)),
    )
    assert outcome.left == (
        OutcomeLine(FLOOR, "type F1", 2, price, codes(1, 0, 1)),
        OutcomeLine(STAND, "type F2", 1, price, codes(1, 3)),
    )
    assert outcome.total == MoneyAmount(Decimal("99.80"), "EUR")
    again = driver.cancel(1, [(FLOOR, 1)])
    assert again.lines[0].codes == codes(1, 1)
    assert (outcome.returned, again.returned) == (2, 3)
    assert (driver.stock(FLOOR), driver.stock(STAND), driver.counts()) == ((0, 1), (0, 1), {FLOOR: 1, STAND: 1})


def test_a_purchase_cancelled_part_by_part_ends_as_cancelled(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 3)])
    outcomes = [driver.cancel(1, [(FLOOR, 1)]) for _ in range(3)]
    confirmed, cancelled = PurchaseStatus.CONFIRMED, PurchaseStatus.CANCELLED
    assert [(each.status, each.returned) for each in outcomes] == [(confirmed, 1), (confirmed, 2), (cancelled, 0)]
    assert refusal_of(driver.cancel(1, [(FLOOR, 1)])) == refused(Reason.NOTHING_TO_CANCEL, status="cancelled")
    assert driver.stock() == (0, 0)


def test_a_hold_confirmed_after_a_part_was_cancelled_sells_the_rest(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    held = driver.hold(1, [(FLOOR, 3)])
    part = driver.cancel(1, [(FLOOR, 1)])
    assert (part.deadline, part.status) == (held.deadline, PurchaseStatus.HELD)
    assert [line.codes for line in part.lines + part.left] == [(), ()]
    confirmed = driver.confirm(1)
    assert confirmed.lines[0].codes == codes(1, 0, 1)
    assert driver.stock() == (0, 2)
    # What was only held was not returned.
    assert (part.returned, confirmed.returned, driver.cancel(1, [(FLOOR, 1)]).returned) == (0, 0, 1)


def test_a_hold_expires_with_what_a_partial_cancellation_left(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 3)], seconds=1)
    driver.cancel(1, [(FLOOR, 1)])
    driver.at += 1_000
    assert [line.quantity for line in driver.expire(1).lines] == [2]
    assert driver.stock() == (0, 0)


def test_one_request_cancels_once_and_two_requests_twice(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 4)])
    first = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    again = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    assert again == replace(first, repeated=True)
    assert driver.stock() == (0, 3)
    assert driver.cancel(1, [(FLOOR, 1)], request=OTHER_REQUEST).offset == 4
    assert driver.cancel(1, [(FLOOR, 1)]).offset == 5
    assert driver.stock() == (0, 1)


def test_a_request_repeated_after_more_was_cancelled_gets_its_own_answer(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 4)])
    first = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    driver.cancel(1, request=OTHER_REQUEST)
    again = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    assert (again.offset, again.status, again.lines, again.left) == (
        first.offset,
        PurchaseStatus.CONFIRMED,
        first.lines,
        first.left,
    )
    assert driver.stock() == (0, 0)


def test_a_whole_cancellation_sent_again_gets_the_first_answer(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 2)])
    first = driver.cancel(1)
    assert driver.cancel(1) == replace(first, repeated=True)
    assert driver.stock() == (0, 0)


@pytest.mark.parametrize("wanted", [[(FLOOR, 3)], [(FLOOR, 2), (FLOOR, 1)], [(FLOOR, 1), (STAND, 1)]], ids=str)
def test_no_more_can_be_cancelled_than_the_purchase_has(driver: LedgerDriver, wanted: list[tuple[UUID, int]]) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 2)])
    driver.buy(2, [(FLOOR, 5), (STAND, 5)])
    assert refusal_of(driver.cancel(1, wanted)) == refused(Reason.NOTHING_TO_CANCEL, status="confirmed")
    assert (driver.stock(FLOOR), driver.stock(STAND)) == ((0, 7), (0, 5))


def test_what_was_rejected_or_has_expired_cannot_be_cancelled(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=1))
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2, seconds=1)
    driver.at += 1_000
    driver.expire(2)
    assert refusal_of(driver.cancel(1)) == refused(Reason.NOTHING_TO_CANCEL, status="rejected")
    assert refusal_of(driver.cancel(2)) == refused(Reason.NOTHING_TO_CANCEL, status="expired")
    assert driver.stock() == (0, 0)


@pytest.fixture
def two_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A purchase may be changed twice."""
    monkeypatch.setattr(tables.ledger.purchase_changes, "PURCHASE_MAX_CHANGES", 2)


@pytest.mark.usefixtures("two_changes")
def test_a_purchase_that_was_changed_too_often_can_only_be_cancelled_whole(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 5)])
    first = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    driver.cancel(1, [(FLOOR, 1)], request=OTHER_REQUEST)
    assert refusal_of(driver.cancel(1, [(FLOOR, 1)], request=THIRD_REQUEST)) == refused(
        Reason.TOO_MANY_CHANGES, limit=2
    )
    assert driver.stock() == (0, 3)
    again = driver.cancel(1, [(FLOOR, 1)], request=REQUEST)
    assert (again.offset, again.lines, again.left, again.total) == (first.offset, first.lines, first.left, first.total)
    assert driver.cancel(1).status is PurchaseStatus.CANCELLED
    assert driver.stock() == (0, 0)


@pytest.mark.usefixtures("two_changes")
def test_all_that_is_left_may_be_named_by_its_lines(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 5)])
    for request in (REQUEST, OTHER_REQUEST):
        driver.cancel(1, [(FLOOR, 1)], request=request)
    assert driver.cancel(1, [(FLOOR, 3)], request=THIRD_REQUEST).status is PurchaseStatus.CANCELLED


@pytest.mark.usefixtures("two_changes")
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_hold_that_was_changed_too_often_can_still_be_confirmed_and_expires(
    driver: LedgerDriver, *, confirmed: bool
) -> None:
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 5)], seconds=60)
    for request in (REQUEST, OTHER_REQUEST):
        driver.cancel(1, [(FLOOR, 1)], request=request)
    if confirmed:
        assert driver.confirm(1).status is PurchaseStatus.CONFIRMED
    assert refusal_of(driver.cancel(1, [(FLOOR, 1)], request=THIRD_REQUEST)) == refused(
        Reason.TOO_MANY_CHANGES, limit=2
    )
    driver.at += 60_000
    assert driver.expire(1).kind is (OutcomeKind.REFUSED if confirmed else OutcomeKind.EXPIRED)
    assert driver.stock() == ((0, 3) if confirmed else (0, 0))
