"""Purchases whose history was written in the long form, with names and prices in each line, and workers that read that.

The short form (tables/ledger/records.py) is made of the same fields, so that either version reads what the other
writes.
"""

import base64
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from tables.ledger.purchase_records import DecisionLine, PurchaseRecord
from tables.ledger.purchase_state import state_of
from tables.ledger.records import decode_purchase, encode_record, purchase_key
from tables.messages.commands import Cancel, Command, Confirm, Hold
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOX,
    EVENT,
    FLOOR,
    STAND,
    LedgerDriver,
    ledger_on,
    lines,
    purchase_id,
    ticket_type,
)

# What the version before the short form wrote of the commands of LOG.
LONG = base64.b64decode(
    "lQbEEAAAAAAAAAAAAAAAAAAAAKG4OWY5MTU1NWZmZjkwYmE0ZmU5YzE1Zjgzo0VVUpaaAc8AAAG6YNM4AKRoZWxkAQCTlcQQAAAA"
    "AAAAAAAAAAAAAAAA8QWlNDkuOTCqRmxvb3Ig8J+OqwCVxBAAAAAAAAAAAAAAAAAAAADyBKQxMi41p3R5cGUgRjIFlcQQAAAAAAAA"
    "AAAAAAAAAAAA8wOhMKAJwIDPAAABumDUl5DAmgLPAAABumDTOACpY2FuY2VsbGVk/wCSlcQQAAAAAAAAAAAAAAAAAAAA8gGkMTIu"
    "Nad0eXBlIEYyCJXEEAAAAAAAAAAAAAAAAAAAAPECpTQ5LjkwqkZsb29yIPCfjqsDwIDAxBAAAAAAAAAAAAAAAAAAAAABmgPPAAAB"
    "umDTOACpY29uZmlybWVk/wGTlcQQAAAAAAAAAAAAAAAAAAAA8QOlNDkuOTCqRmxvb3Ig8J+OqwCVxBAAAAAAAAAAAAAAAAAAAADy"
    "A6QxMi41p3R5cGUgRjIFlcQQAAAAAAAAAAAAAAAAAAAA8wOhMKAJwIDAwJoEzwAAAbpg0zgAqWNhbmNlbGxlZAD/kZXEEAAAAAAA"
    "AAAAAAAAAAAAAPMDoTCgCcCAwMQQAAAAAAAAAAAAAAAAAAAAApoFzwAAAbpg0zgAqWNhbmNlbGxlZAD/kZXEEAAAAAAAAAAAAAAA"
    "AAAAAPICpDEyLjWndHlwZSBGMgbAgMDEEAAAAAAAAAAAAAAAAAAAAAOaBs8AAAG6YNM4AKljYW5jZWxsZWQA/5KVxBAAAAAAAAAA"
    "AAAAAAAAAADxA6U0OS45MKpGbG9vciDwn46rAJXEEAAAAAAAAAAAAAAAAAAAAPIBpDEyLjWndHlwZSBGMgXAgMDA"
)
KEY = purchase_key(EVENT, purchase_id(1))
ABOUT = (EVENT, purchase_id(1), ADA)
LOG: list[Command] = [
    Hold(*ABOUT, lines([(FLOOR, 5), (STAND, 4), (BOX, 3)]), 90),
    Cancel(*ABOUT, UUID(int=1), lines([(STAND, 1), (FLOOR, 2)])),
    Confirm(*ABOUT),
    Cancel(*ABOUT, UUID(int=2), lines([(BOX, 3)])),
    Cancel(*ABOUT, UUID(int=3), lines([(STAND, 2)])),
    Cancel(*ABOUT),
]
each_length = pytest.mark.parametrize("count", range(1, len(LOG) + 1))


def carried_out(count: int) -> tuple[LedgerDriver, list[Outcome | None]]:
    """Carry out the first ``count`` commands, each with a new ledger; their outcomes."""
    driver = LedgerDriver(batch=1)
    driver.define(
        ticket_type(FLOOR, 20, name="Floor \N{TICKET}"),
        ticket_type(STAND, 20, price=Decimal("12.5")),
        ticket_type(BOX, 20, name="", price=Decimal(0)),
    )
    return driver, [driver.send(command) for command in LOG[:count]]


def long_form(count: int) -> bytes:
    """The record in the long form after the first ``count`` commands."""
    fields: list[Any] = msgspec.msgpack.decode(LONG)
    return msgspec.msgpack.encode([count, *fields[1:4], fields[4][:count]])


@each_length
def test_both_forms_are_read_alike_and_the_new_one_is_written(count: int) -> None:
    driver, _ = carried_out(count)
    assert decode_purchase(long_form(count)) == decode_purchase(driver.table[KEY])
    assert encode_record(decode_purchase(long_form(count))) == driver.table[KEY]


@each_length
def test_what_was_decided_in_the_long_form_is_told_again_as_it_was_and_worked_on_further(count: int) -> None:
    driver, _ = carried_out(count)
    driver.table[KEY] = long_form(count)
    ledger = ledger_on(driver.table)
    again = [ledger.apply(1 + place, driver.at, command).outcomes[0] for place, command in enumerate(LOG)]
    whole, outcomes = carried_out(len(LOG))
    assert [lasting(outcome) for outcome in again] == [lasting(outcome) for outcome in outcomes if outcome]
    assert ledger.take_purchases() == {KEY: whole.table[KEY]}


def lasting(outcome: Outcome) -> Outcome:
    """An outcome without the event's current state."""
    return replace(outcome, balance=(), facts=None, as_of=-1)


@each_length
def test_a_worker_of_the_version_before_finds_the_purchase_as_it_is_in_the_short_form(count: int) -> None:
    driver, _ = carried_out(count)
    record = msgspec.msgpack.decode(driver.table[KEY], type=PurchaseRecord)
    now = state_of(decode_purchase(driver.table[KEY]))
    assert before(record) == (now.status, now.lines, now.deadline)


def before(purchase: PurchaseRecord) -> tuple[PurchaseStatus, tuple[DecisionLine, ...], int | None]:
    """How the version before derived a purchase's state from its history."""
    status, deadline = PurchaseStatus.REJECTED, None
    lines: tuple[DecisionLine, ...] = ()
    for decision in purchase.history:
        if decision.kind is OutcomeKind.CANCELLED:
            gone = {line.ticket_type: line.quantity for line in decision.lines}
            rest = (replace(line, quantity=line.quantity - gone.get(line.ticket_type, 0)) for line in lines)
            lines = tuple(line for line in rest if line.quantity)
            if not lines:
                status, deadline = PurchaseStatus.CANCELLED, None
        elif decision.kind in (OutcomeKind.EXPIRED, OutcomeKind.REFUNDED):
            status, lines, deadline = PurchaseStatus(decision.kind.value), (), None
        else:
            status, lines, deadline = PurchaseStatus(decision.kind.value), decision.lines, decision.deadline
    return status, lines, deadline
