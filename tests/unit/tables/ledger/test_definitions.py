"""Definitions that change while tickets are out."""

import pytest

from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import (
    EVENT,
    FACTS,
    FLOOR,
    NOW,
    STAND,
    LedgerDriver,
    balance,
    codes,
    moment,
    refusal_of,
    rejected,
    ticket_type,
)


def test_a_definition_is_told_with_facts_and_stock(driver: LedgerDriver) -> None:
    assert driver.define(ticket_type(FLOOR, 3), ticket_type(STAND, 0)) == Outcome(
        kind=OutcomeKind.CHANGED,
        event=EVENT,
        offset=0,
        at=moment(NOW),
        facts=FACTS,
        balance=(balance(FLOOR, 3, 0, 0), balance(STAND, 0, 0, 0)),
        as_of=0,
    )


@pytest.mark.parametrize("version", [1, 2])
def test_a_definition_that_is_no_newer_changes_nothing(driver: LedgerDriver, version: int) -> None:
    driver.define(ticket_type(quantity=2), version=2)
    driver.buy(1)
    assert driver.define(ticket_type(quantity=99), version=version, status=EventStatus.CANCELED) is None
    assert (driver.inventory().version, driver.inventory().offset) == (2, 1)
    assert driver.buy(2).balance == (balance(FLOOR, 2, 0, 2),)


def test_a_lowered_quantity_sells_nothing_and_recovers_when_raised(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=5))
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2, [(FLOOR, 2)])
    driver.define(ticket_type(quantity=3), version=2)
    assert refusal_of(driver.buy(3)) == rejected(
        Reason.SOLD_OUT, limit=3, requested=1, ticketType=str(FLOOR), available=0, held=2
    )
    assert driver.confirm(2).balance == (balance(FLOOR, 3, 0, 4),)
    driver.define(ticket_type(quantity=5), version=3)
    assert driver.buy(4).balance == (balance(FLOOR, 5, 0, 5),)
    assert driver.buy(5).kind is OutcomeKind.REJECTED


def test_a_lowered_quantity_recovers_when_enough_is_given_back(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=5))
    driver.buy(1, [(FLOOR, 5)])
    driver.define(ticket_type(quantity=3), version=2)
    driver.cancel(1, [(FLOOR, 2)])
    assert driver.buy(2).kind is OutcomeKind.REJECTED
    driver.cancel(1, [(FLOOR, 1)])
    assert driver.buy(3).balance == (balance(FLOOR, 3, 0, 3),)


def test_a_ticket_type_removed_and_added_again_keeps_what_is_out(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, 4), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 2), (STAND, 1)])
    driver.hold(2, [(FLOOR, 1)])
    driver.define(ticket_type(STAND), version=2)
    assert refusal_of(driver.buy(3)) == rejected(Reason.UNKNOWN_TICKET_TYPE, ticketType=str(FLOOR))
    driver.define(ticket_type(STAND), ticket_type(FLOOR, 4), version=3)
    assert driver.stock(FLOOR) == (1, 2)
    assert refusal_of(driver.buy(4, [(FLOOR, 2)])) == rejected(
        Reason.SOLD_OUT, limit=4, requested=2, ticketType=str(FLOOR), available=1, held=1
    )


def test_tickets_of_a_removed_type_can_be_confirmed_and_given_back(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, 4), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2, [(FLOOR, 1)])
    driver.define(ticket_type(STAND), version=2)
    confirmed = driver.confirm(2)
    assert (confirmed.lines[0].codes, confirmed.balance) == (codes(2, 0), ())
    assert driver.cancel(1).kind is OutcomeKind.CANCELLED
    driver.define(ticket_type(FLOOR, 4), ticket_type(STAND), version=3)
    assert (driver.stock(FLOOR), driver.counts()) == ((0, 1), {FLOOR: 1})


def test_tickets_of_a_removed_type_still_fill_the_event_and_the_account(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND))
    driver.buy(1, [(FLOOR, 3)])
    driver.define(ticket_type(STAND), version=2, capacity=4)
    assert refusal_of(driver.buy(2, [(STAND, 2)])) == rejected(
        Reason.CAPACITY_EXCEEDED, limit=4, requested=2, available=1
    )
    driver.define(ticket_type(STAND), version=3, max_per_account=4)
    assert refusal_of(driver.buy(3, [(STAND, 2)])) == rejected(
        Reason.PURCHASE_LIMIT_EXCEEDED, limit=4, requested=2, alreadyHas=3
    )


def test_an_event_that_closes_lets_holds_be_confirmed_and_given_back(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    driver.hold(2)
    driver.define(ticket_type(), version=2, status=EventStatus.POSTPONED)
    assert driver.confirm(1).kind is OutcomeKind.CONFIRMED
    assert driver.cancel(2).kind is OutcomeKind.CANCELLED
    assert driver.stock() == (0, 1)
