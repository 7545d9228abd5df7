"""Holding, confirming and expiring: which command wins, and what each of them is told."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tables.messages.mail_kinds import MailKind, mail_of
from tables.messages.outcomes import MoneyAmount, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.office import (
    BOB,
    FLOOR,
    NOW,
    Desk,
    balance,
    codes,
    moment,
    refused,
    ticket_type,
    told,
)


def test_a_hold_keeps_tickets_without_codes_until_so_long_after_its_own_time(desk: Desk) -> None:
    desk.define(ticket_type())
    outcome = desk.hold(1, [(FLOOR, 2)], seconds=90)
    assert (outcome.kind, outcome.status) == (OutcomeKind.HELD, PurchaseStatus.HELD)
    assert outcome.deadline == moment(NOW + 90_000)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90")),)
    assert outcome.total == MoneyAmount(Decimal("99.80"), "EUR")
    assert outcome.balance == (balance(FLOOR, 10, 2, 0),)
    assert desk.hold(2).deadline == moment(NOW + 600_000)


def test_a_confirmed_hold_is_sold_with_codes(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, [(FLOOR, 2)])
    outcome = desk.confirm(1)
    assert (outcome.kind, outcome.status) == (OutcomeKind.CONFIRMED, PurchaseStatus.CONFIRMED)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90"), codes(1, 0, 1)),)
    assert outcome.balance == (balance(FLOOR, 10, 0, 2),)
    assert desk.counts() == {FLOOR: 2}


def test_a_hold_keeps_its_price(desk: Desk) -> None:
    desk.define(ticket_type(price=Decimal("10.00")))
    desk.hold(1, [(FLOOR, 3)])
    desk.define(ticket_type(price=Decimal("99.00"), currency="CHF", name="dearer"), version=2)
    outcome = desk.confirm(1)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 3, Decimal("10.00"), codes(1, 0, 1, 2)),)
    assert outcome.total == MoneyAmount(Decimal("30.00"), "EUR")


def test_a_confirm_sent_again_gets_the_first_answer(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1)
    first = desk.confirm(1)
    assert desk.confirm(1) == replace(first, repeated=True)
    assert desk.stock() == (0, 1)


def test_a_confirm_in_the_log_before_the_expire_wins_even_past_the_deadline(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, seconds=1)
    desk.at += 5_000
    assert desk.confirm(1).kind is OutcomeKind.CONFIRMED
    assert told(desk.expire(1)) == refused(Reason.NOT_HELD, status="confirmed")
    assert desk.stock() == (0, 1)


def test_an_expire_in_the_log_before_the_confirm_wins(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, [(FLOOR, 2)], seconds=1)
    desk.at += 1_000
    outcome = desk.expire(1)
    assert (outcome.kind, outcome.status) == (OutcomeKind.EXPIRED, PurchaseStatus.EXPIRED)
    assert outcome.lines == (OutcomeLine(FLOOR, "type F1", 2, Decimal("49.90")),)
    assert told(desk.confirm(1)) == refused(Reason.NOT_HELD, status="expired")
    assert (desk.stock(), desk.counts()) == ((0, 0), {})


def test_an_expire_before_the_deadline_does_nothing(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, seconds=1)
    desk.at += 999
    assert told(desk.expire(1)) == refused(Reason.NOT_HELD, status="held")
    assert desk.stock() == (1, 0)
    desk.at += 1
    assert desk.expire(1).kind is OutcomeKind.EXPIRED
    assert told(desk.expire(1)) == refused(Reason.NOT_HELD, status="expired")
    assert desk.stock() == (0, 0)


def test_the_operator_ends_a_hold_before_its_deadline(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, [(FLOOR, 2)])
    outcome = desk.expire(1, early=True)
    assert (outcome.kind, outcome.reason, mail_of(outcome)) == (
        OutcomeKind.EXPIRED,
        Reason.HOLD_ENDED,
        MailKind.HOLD_ENDED,
    )
    assert (desk.stock(), desk.counts()) == ((0, 0), {})


def test_a_hold_that_is_over_anyway_was_not_ended_by_the_operator(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1, seconds=1)
    desk.at += 1_000
    outcome = desk.expire(1, early=True)
    assert (outcome.kind, outcome.reason, mail_of(outcome)) == (OutcomeKind.EXPIRED, None, MailKind.EXPIRED)


def test_the_operator_ends_no_sale(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1)
    desk.confirm(1)
    desk.buy(2)
    assert told(desk.expire(1, early=True)) == refused(Reason.NOT_HELD, status="confirmed")
    assert told(desk.expire(2, early=True)) == refused(Reason.NOT_HELD, status="confirmed")
    assert desk.stock() == (0, 2)


@pytest.mark.parametrize("end", ["cancel", "reject"])
def test_what_is_not_held_cannot_be_confirmed(desk: Desk, end: str) -> None:
    desk.define(ticket_type(quantity=1))
    desk.hold(1, [(FLOOR, 1 if end == "cancel" else 2)])
    if end == "cancel":
        desk.cancel(1)
    assert told(desk.confirm(1)) == refused(Reason.NOT_HELD, status={"cancel": "cancelled", "reject": "rejected"}[end])
    assert desk.stock() == (0, 0)


def test_nothing_is_known_of_a_purchase_that_was_never_made(desk: Desk) -> None:
    desk.define(ticket_type())
    for outcome in (desk.confirm(1), desk.cancel(1), desk.expire(1)):
        assert told(outcome) == refused(Reason.UNKNOWN_PURCHASE)
        assert (outcome.account, outcome.status) == (None, None)


def test_another_account_can_neither_confirm_nor_cancel(desk: Desk) -> None:
    desk.define(ticket_type())
    desk.hold(1)
    assert told(desk.confirm(1, account=BOB)) == refused(Reason.NOT_YOURS)
    assert told(desk.cancel(1, account=BOB)) == refused(Reason.NOT_YOURS)
    assert desk.stock() == (1, 0)
