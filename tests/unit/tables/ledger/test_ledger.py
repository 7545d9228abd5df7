"""The records that the ledger reads and writes, and the contradictions on which it stops."""

from collections import Counter

import pytest

from tables.errors import InvariantBroken
from tables.ledger.ledger import Ledger
from tables.ledger.records import account_key, event_key, purchase_key
from tables.ledger.seat_records import Load
from tables.messages.commands import Buy, Cancel, Confirm, DefineEvent
from tables.messages.reasons import Reason
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    CODES,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    LedgerDriver,
    definition,
    ledger_on,
    lines,
    purchase_id,
    ticket_type,
)
from tests.unit.tables.ledger_worker import assert_agree


def noting(reads: list[bytes], table: dict[bytes, bytes]) -> Load:
    """A reader of a table that notes the keys."""

    def load(keys: list[bytes]) -> list[bytes | None]:
        reads.extend(keys)
        return [table.get(key) for key in keys]

    return load


def test_a_purchase_writes_its_own_record_and_those_of_its_account_and_event() -> None:
    driver = LedgerDriver(batch=1_000)
    driver.define(ticket_type())
    driver.store()
    driver.buy(1)
    assert list(driver.ledger.take_purchases()) == [purchase_key(EVENT, purchase_id(1))]
    assert list(driver.ledger.take_events()) == [account_key(EVENT, ADA), event_key(EVENT)]
    assert (driver.ledger.take_purchases(), driver.ledger.take_events()) == ({}, {})


def test_a_rejected_purchase_writes_no_account_and_a_refused_command_nothing() -> None:
    driver = LedgerDriver(batch=1_000)
    driver.define(ticket_type(quantity=0))
    driver.store()
    driver.confirm(1)
    assert (driver.ledger.take_purchases(), driver.ledger.take_events()) == ({}, {})
    driver.buy(1)
    assert list(driver.ledger.take_purchases()) == [purchase_key(EVENT, purchase_id(1))]
    assert list(driver.ledger.take_events()) == [event_key(EVENT)]


def test_each_record_is_read_once_in_a_batch() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    reads: list[bytes] = []
    ledger = Ledger(noting(reads, driver.table), lambda *_: (), CODES)
    for number in range(5):
        ledger.apply(1 + number, NOW, Buy(EVENT, purchase_id(number), ADA, lines([(FLOOR, 1)])))
    keys = [event_key(EVENT), account_key(EVENT, ADA), *(purchase_key(EVENT, purchase_id(each)) for each in range(5))]
    assert Counter(reads) == Counter(keys)


def test_an_account_that_was_only_read_is_read_again_in_the_next_batch() -> None:
    driver = LedgerDriver(batch=1_000)
    driver.define(ticket_type(quantity=1, max_per_account=1))
    driver.buy(1, [(FLOOR, 2)])
    driver.table |= driver.ledger.take_purchases() | driver.ledger.take_events()
    other = ledger_on(driver.table)
    assert other.apply(driver.offset + 1, NOW, Buy(EVENT, purchase_id(2), ADA, lines([(FLOOR, 1)]))).outcomes
    driver.table |= other.take_purchases() | other.take_events()
    assert driver.buy(3).reason is Reason.PURCHASE_LIMIT_EXCEEDED


def test_the_record_of_an_account_does_not_tell_where_batches_ended() -> None:
    records = []
    for batch in (1, 1_000):
        driver = LedgerDriver(batch)
        driver.define(ticket_type(FLOOR), ticket_type(STAND), ticket_type(BOX))
        driver.buy(1, [(FLOOR, 1), (STAND, 1)])
        driver.cancel(1, [(FLOOR, 1)])
        driver.buy(2, [(BOX, 1), (FLOOR, 1)])
        driver.store()
        records.append(driver.table[account_key(EVENT, ADA)])
    assert records[0] == records[1]


def test_events_beyond_what_is_kept_in_memory_are_read_again() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    reads: list[bytes] = []
    ledger = Ledger(noting(reads, driver.table), lambda *_: (), CODES, cached_events=1)
    ledger.apply(1, NOW, Buy(EVENT, purchase_id(1), ADA, lines([(FLOOR, 1)])))
    ledger.apply(2, NOW, DefineEvent(OTHER_EVENT, 1, definition(ticket_type())))
    driver.table |= ledger.take_purchases() | ledger.take_events()
    outcome = ledger.apply(3, NOW, Buy(EVENT, purchase_id(2), BOB, lines([(FLOOR, 1)])))
    assert outcome.outcomes[0].balance[0].sold == 2
    assert reads.count(event_key(EVENT)) == 2


def test_a_sale_below_the_events_offset_that_nobody_recorded_ends_the_process() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    driver.buy(1)
    del driver.table[purchase_key(EVENT, purchase_id(1))]
    with pytest.raises(InvariantBroken, match=r"shows offset 1, but 1 is undecided"):
        driver.ledger.apply(1, NOW, Buy(EVENT, purchase_id(1), ADA, lines([(FLOOR, 1)])))


def test_a_definition_below_the_events_offset_that_it_lacks_ends_the_process() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    older = driver.table[event_key(EVENT)]
    driver.define(ticket_type(), version=2)
    driver.table[event_key(EVENT)] = older
    driver.buy(1)
    with pytest.raises(InvariantBroken, match="is at offset 2 but lacks that of 1"):
        driver.ledger.apply(1, NOW, DefineEvent(EVENT, 2, definition(ticket_type())))


def test_a_command_that_came_too_early_is_told_nothing_of_the_later_purchase_at_a_replay() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    early = driver.cancel(1)
    driver.buy(1)
    [again] = driver.ledger.apply(1, NOW, Cancel(EVENT, purchase_id(1), ADA)).outcomes
    assert (again.reason, again.account, again.fingerprint) == (Reason.UNKNOWN_PURCHASE, None, "")
    assert_agree({1: (early,)}, {1: (again,)})


def test_what_a_batch_needs_is_read_at_once_and_then_not_again() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 1)])
    calls: list[list[bytes]] = []

    def load(keys: list[bytes]) -> list[bytes | None]:
        calls.append(keys)
        return [driver.table.get(key) for key in keys]

    ledger = Ledger(load, lambda *_: (), CODES)
    again = Buy(EVENT, purchase_id(1), ADA, lines([(FLOOR, 1)]))
    other = Buy(EVENT, purchase_id(2), ADA, lines([(FLOOR, 1)]))
    ledger.read_ahead([again, other, Confirm(EVENT, purchase_id(3), ADA)])
    for offset, command in enumerate([again, other], start=10):
        ledger.apply(offset, NOW, command)
    account = account_key(EVENT, ADA)
    keys = [purchase_key(EVENT, purchase_id(number)) for number in (1, 2, 3)]
    assert calls == [[keys[0], account, keys[1], account, keys[2]], [event_key(EVENT)]]


@pytest.mark.parametrize("held", [True, False], ids=["held", "sold"])
def test_stock_below_nothing_ends_the_process(*, held: bool) -> None:
    """The event's record lacks a decision that the purchase's has."""
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    empty = driver.table[event_key(EVENT)]
    driver.hold(1) if held else driver.buy(1)
    driver.table[event_key(EVENT)] = empty
    with pytest.raises(InvariantBroken, match=r"would have -?\d held and -?\d sold of ticket type"):
        ledger_on(driver.table).apply(driver.offset + 1, NOW, Cancel(EVENT, purchase_id(1), ADA))


def test_an_account_with_less_than_nothing_ends_the_process() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    driver.buy(1)
    del driver.table[account_key(EVENT, ADA)]
    with pytest.raises(InvariantBroken, match=r"would have -1 of ticket type"):
        ledger_on(driver.table).apply(driver.offset + 1, NOW, Cancel(EVENT, purchase_id(1), ADA))
