"""No sequence of commands makes a record too large to store, a command slow, or an outcome too long."""

from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tables.ledger.decisions import ORDER_MAX_TICKETS
from tables.ledger.purchase_records import Decision, PurchaseRecord, without_names
from tables.ledger.purchase_state import PURCHASE_MAX_CHANGES
from tables.ledger.records import PURCHASE_MARK, decode_purchase, encode_record, purchase_key, same_record
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    EndPurchases,
    Expire,
    Hold,
    TicketLine,
    TicketTypeDefinition,
)
from tables.messages.outcomes import OutcomeKind, encode_outcome
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, NOW, LedgerDriver, purchase_id, ticket_type

KEY = purchase_key(EVENT, purchase_id(1))
KINDS = [UUID(int=0xC000 + number) for number in range(50)]
EACH = ORDER_MAX_TICKETS // len(KINDS)
ABOUT = (EVENT, purchase_id(1), ADA)
# The limits of the API's names, and of the log's.
LONG_NAME, LONGEST_NAME = "\N{TICKET}" * 100, "\N{TICKET}" * 500
RECORD_MAX_BYTES = 128 * 1024
LONGEST_RECORD_MAX_BYTES = 300 * 1024


def driver_for(name: str, batch: int = 1) -> LedgerDriver:
    """An event with fifty ticket types of this name."""
    driver = LedgerDriver(batch)
    driver.define(*(kind_of(key, name) for key in KINDS))
    return driver


def kind_of(key: UUID, name: str) -> TicketTypeDefinition:
    return ticket_type(key, 1_000_000, name=name)


def of_each(quantity: int) -> list[TicketLine]:
    return [TicketLine(key, quantity) for key in KINDS]


def part(request: int, quantity: int = 1) -> Cancel:
    return Cancel(*ABOUT, UUID(int=request), of_each(quantity))


@pytest.mark.parametrize(("name", "most"), [(LONG_NAME, RECORD_MAX_BYTES), (LONGEST_NAME, LONGEST_RECORD_MAX_BYTES)])
@pytest.mark.parametrize(
    "last", [Cancel(*ABOUT), part(0, EACH - PURCHASE_MAX_CHANGES), None], ids=["whole", "lines", "end"]
)
def test_the_largest_order_given_back_bit_by_bit_stays_far_below_the_largest_record(
    name: str, most: int, last: Command | None
) -> None:
    driver = driver_for(name)
    driver.send(Hold(*ABOUT, of_each(EACH), 600))
    outcomes = [driver.send(part(number)) for number in range(1, PURCHASE_MAX_CHANGES + 1)]
    assert {outcome.kind for outcome in outcomes if outcome} == {OutcomeKind.CANCELLED}
    refusal = driver.send(part(PURCHASE_MAX_CHANGES + 1))
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == (OutcomeKind.REFUSED, Reason.TOO_MANY_CHANGES)
    driver.send(Confirm(*ABOUT))
    if last is not None:
        driver.send(last)
    else:
        driver.define(*(kind_of(key, name) for key in KINDS), version=2, status=EventStatus.CANCELED)
        driver.send_all(driver.following[-1])
    record = decode_purchase(driver.table[KEY])
    assert record.history[-1].kind in (OutcomeKind.CANCELLED, OutcomeKind.REFUNDED)
    assert len(record.history) == PURCHASE_MAX_CHANGES + 3
    assert driver.stock(KINDS[0]) == (0, 0)
    assert len(driver.table[KEY]) < most


def test_outcomes_do_not_grow_with_the_history() -> None:
    driver = driver_for(LONG_NAME)
    driver.send(Buy(*ABOUT, of_each(EACH)))
    sizes = [
        len(encode_outcome(outcome))
        for number in range(1, PURCHASE_MAX_CHANGES)
        if (outcome := driver.send(part(number)))
    ]
    assert sizes[-1] < sizes[0]


def test_two_thousand_cancels_write_little() -> None:
    """An ordinary purchase; with complete lines in each change it was 341 MB of changelog."""
    driver = driver_for("Floor")
    driver.send(Buy(*ABOUT, of_each(EACH)))
    written = 0
    for number in range(1, 2_001):
        before = driver.table[KEY]
        driver.send(Cancel(*ABOUT, UUID(int=number), [TicketLine(KINDS[number % 50], 1)]))
        written += 0 if driver.table[KEY] is before else len(driver.table[KEY])
    assert written < 512 * 1024


steps = st.one_of(
    st.tuples(st.just("part"), st.sets(st.integers(0, 49), min_size=1), st.integers(1, EACH)),
    st.tuples(st.just("part"), st.sets(st.integers(0, 49), min_size=1), st.just(1)),
    st.tuples(st.sampled_from(["confirm", "again", "whole", "expire", "end"]), st.just({0}), st.just(1)),
)


@settings(max_examples=60, deadline=None)
@given(
    held=st.booleans(),
    name=st.sampled_from(["", "Floor", LONG_NAME]),
    sequence=st.lists(steps, max_size=PURCHASE_MAX_CHANGES + 20),
    filling=st.integers(0, PURCHASE_MAX_CHANGES + 5),
)
def test_no_legal_sequence_of_commands_makes_a_large_record(
    held: bool, name: str, sequence: list[tuple[str, set[int], int]], filling: int
) -> None:
    driver = driver_for(name, batch=1_000)
    driver.send(Hold(*ABOUT, of_each(EACH), 600) if held else Buy(*ABOUT, of_each(EACH)))
    requests = count(1)
    sequence = [("part", set(range(50)), 1)] * filling + sequence
    for what, places, quantity in sequence:
        chosen = [TicketLine(KINDS[place], quantity) for place in sorted(places)]
        command = _command(what, next(requests), chosen)
        driver.at = NOW + 700_000 if what == "expire" else NOW
        driver.send_all(command)
    driver.store()
    record = decode_purchase(driver.table[KEY])
    assert len(driver.table[KEY]) < RECORD_MAX_BYTES
    assert len(record.history) <= PURCHASE_MAX_CHANGES + 3
    assert encode_record(record) == driver.table[KEY]
    assert decode_purchase(encode_record(in_long_form(record))) == record


def _command(what: str, request: int, chosen: list[TicketLine]) -> Command:
    if what == "end":
        return EndPurchases(EVENT, 1)
    plain: dict[str, Command] = {"confirm": Confirm(*ABOUT), "whole": Cancel(*ABOUT), "expire": Expire(*ABOUT[:2])}
    return plain.get(what) or Cancel(*ABOUT, UUID(int=1 if what == "again" else request), chosen)


def in_long_form(record: PurchaseRecord) -> PurchaseRecord:
    """The record as versions before the short form wrote it."""
    history = [replace(decision, lines=record.lines_of(decision)) for decision in record.history]
    return replace(record, history=tuple(history))


def test_what_is_given_back_is_kept_without_names_and_prices_even_where_the_first_type_has_none() -> None:
    driver = LedgerDriver(batch=1)
    kinds = [replace(kind_of(KINDS[0], ""), price=Decimal(0)), kind_of(KINDS[1], LONG_NAME)]
    driver.define(*kinds)
    driver.send(Buy(*ABOUT, [TicketLine(KINDS[0], 2), TicketLine(KINDS[1], 2)]))
    outcome = driver.send(Cancel(*ABOUT, UUID(int=1), [TicketLine(KINDS[0], 1), TicketLine(KINDS[1], 1)]))
    assert outcome is not None
    assert [line.name for line in outcome.lines] == ["", LONG_NAME]
    assert driver.table[KEY].count(LONG_NAME.encode()) == 1


def test_only_what_is_given_back_is_kept_short() -> None:
    """Versions before this one take a confirmed purchase's lines from its confirmation."""
    driver = driver_for("Floor")
    driver.send(Hold(*ABOUT, of_each(1), 600))
    driver.send(Confirm(*ABOUT))
    history: tuple[Decision, ...] = decode_purchase(driver.table[KEY]).history
    assert {line.name for line in history[1].lines} == {"Floor"}
    assert without_names(history[1]) is history[1]


def a_purchase() -> tuple[bytes, bytes]:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 10))
    driver.buy(1)
    return next((key, value) for key, value in driver.table.items() if key[16:17] == PURCHASE_MARK)


def test_a_record_tells_the_same_as_itself_and_as_one_of_a_version_that_writes_more() -> None:
    key, value = a_purchase()
    longer = b"\x97" + value[1:] + b"\x90\x01"  # an array with no seats, and one field more
    assert same_record(key, value, value)
    assert same_record(key, value, longer)


def test_a_record_with_another_meaning_or_none_does_not_tell_the_same() -> None:
    key, value = a_purchase()
    other = encode_record(replace(decode_purchase(value), currency="JPY"))
    assert not same_record(key, value, other)
    assert not same_record(key, value, b"\x91\x01")
    assert not same_record(b"unknown", b"\x91\x01", b"\x92\x01\x01")
