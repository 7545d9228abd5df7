"""Holding, confirming and expiring: which command wins, and the outcome of each."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tables.messages.mail_kinds import MailKind, mail_of
from tables.messages.outcomes import MoneyAmount, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import (
    BOB,
    FLOOR,
    NOW,
    LedgerDriver,
    balance,
    codes,
    moment,
    refusal_of,
    refused,
    ticket_type,
)


def test_a_hold_keeps_tickets_without_codes_until_so_long_after_its_own_time(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    outcome = driver.hold(1, [(FLOOR, 2)], seconds=90)
    assert (outcome.kind, outcome.status) == (OutcomeKind.HELD, PurchaseStatus.HELD)
    assert outcome.deadline == moment(NOW + 90_000)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90")),)
    assert outcome.total == MoneyAmount(Decimal("99.80"), "EUR")
    assert outcome.balance == (balance(FLOOR, 10, 2, 0),)
    assert driver.hold(2).deadline == moment(NOW + 600_000)


def test_a_confirmed_hold_is_sold_with_codes(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 2)])
    outcome = driver.confirm(1)
    assert (outcome.kind, outcome.status) == (OutcomeKind.CONFIRMED, PurchaseStatus.CONFIRMED)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90"), codes(1, 0, 1)),)
    assert outcome.balance == (balance(FLOOR, 10, 0, 2),)
    assert driver.counts() == {FLOOR: 2}


def test_a_hold_keeps_its_price(driver: LedgerDriver) -> None:
    driver.define(ticket_type(price=Decimal("10.00")))
    driver.hold(1, [(FLOOR, 3)])
    driver.define(ticket_type(price=Decimal("99.00"), currency="CHF", name="dearer"), version=2)
    outcome = driver.confirm(1)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 3, Decimal("10.00"), codes(1, 0, 1, 2)),)
    assert outcome.total == MoneyAmount(Decimal("30.00"), "EUR")


def test_a_confirm_sent_again_gets_the_first_answer(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    first = driver.confirm(1)
    assert driver.confirm(1) == replace(first, repeated=True)
    assert driver.stock() == (0, 1)


def test_a_confirm_in_the_log_before_the_expire_wins_even_past_the_deadline(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, seconds=1)
    driver.at += 5_000
    assert driver.confirm(1).kind is OutcomeKind.CONFIRMED
    assert refusal_of(driver.expire(1)) == refused(Reason.NOT_HELD, status="confirmed")
    assert driver.stock() == (0, 1)


def test_an_expire_in_the_log_before_the_confirm_wins(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 2)], seconds=1)
    driver.at += 1_000
    outcome = driver.expire(1)
    assert (outcome.kind, outcome.status) == (OutcomeKind.EXPIRED, PurchaseStatus.EXPIRED)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90")),)
    assert refusal_of(driver.confirm(1)) == refused(Reason.NOT_HELD, status="expired")
    assert (driver.stock(), driver.counts()) == ((0, 0), {})


def test_an_expire_before_the_deadline_does_nothing(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, seconds=1)
    driver.at += 999
    assert refusal_of(driver.expire(1)) == refused(Reason.NOT_HELD, status="held")
    assert driver.stock() == (1, 0)
    driver.at += 1
    assert driver.expire(1).kind is OutcomeKind.EXPIRED
    assert refusal_of(driver.expire(1)) == refused(Reason.NOT_HELD, status="expired")
    assert driver.stock() == (0, 0)


def test_the_operator_ends_a_hold_before_its_deadline(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 2)])
    outcome = driver.expire(1, early=True)
    assert (outcome.kind, outcome.reason, mail_of(outcome)) == (
        OutcomeKind.EXPIRED,
        Reason.HOLD_ENDED,
        MailKind.HOLD_ENDED,
    )
    assert (driver.stock(), driver.counts()) == ((0, 0), {})


def test_a_hold_that_is_over_anyway_was_not_ended_by_the_operator(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1, seconds=1)
    driver.at += 1_000
    outcome = driver.expire(1, early=True)
    assert (outcome.kind, outcome.reason, mail_of(outcome)) == (OutcomeKind.EXPIRED, None, MailKind.EXPIRED)


def test_the_operator_ends_no_sale(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    driver.confirm(1)
    driver.buy(2)
    assert refusal_of(driver.expire(1, early=True)) == refused(Reason.NOT_HELD, status="confirmed")
    assert refusal_of(driver.expire(2, early=True)) == refused(Reason.NOT_HELD, status="confirmed")
    assert driver.stock() == (0, 2)


@pytest.mark.parametrize("end", ["cancel", "reject"])
def test_what_is_not_held_cannot_be_confirmed(driver: LedgerDriver, end: str) -> None:
    driver.define(ticket_type(quantity=1))
    driver.hold(1, [(FLOOR, 1 if end == "cancel" else 2)])
    if end == "cancel":
        driver.cancel(1)
    assert refusal_of(driver.confirm(1)) == refused(
        Reason.NOT_HELD, status={"cancel": "cancelled", "reject": "rejected"}[end]
    )
    assert driver.stock() == (0, 0)


def test_nothing_is_known_of_a_purchase_that_was_never_made(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    for outcome in (driver.confirm(1), driver.cancel(1), driver.expire(1)):
        assert refusal_of(outcome) == refused(Reason.UNKNOWN_PURCHASE)
        assert (outcome.account, outcome.status) == (None, None)


def test_another_account_can_neither_confirm_nor_cancel(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    assert refusal_of(driver.confirm(1, account=BOB)) == refused(Reason.NOT_YOURS)
    assert refusal_of(driver.cancel(1, account=BOB)) == refused(Reason.NOT_YOURS)
    assert driver.stock() == (1, 0)
