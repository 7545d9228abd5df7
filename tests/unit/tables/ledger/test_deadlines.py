"""Which holds are due and when, and the index of deadlines, which is derived from purchase records alone."""

from collections.abc import Iterator
from random import Random

import pytest

from tables.ledger.deadlines import HOLDS_PREFIX, HoldSchedule, deadline_of, entry_of, expiry_of, index_change
from tables.ledger.purchase_state import state_of
from tables.ledger.records import decode_purchase, event_key, purchase_key
from tables.messages.commands import Expire
from tests.unit.tables.ledger_driver import EVENT, FLOOR, NOW, LedgerDriver, purchase_id, ticket_type
from tests.unit.tables.ledger_worker import LedgerWorker
from tests.unit.tables.random_logs import random_log


def entry(number: int, deadline: int = NOW) -> bytes:
    return entry_of(deadline, purchase_key(EVENT, purchase_id(number)))


class Index:
    """An index in memory that counts the entries read."""

    def __init__(self, *entries: bytes) -> None:
        self.entries = set(entries)
        self.read = 0

    def scan(self, start: bytes) -> Iterator[bytes]:
        for each in sorted(self.entries):
            if each >= start:
                self.read += 1
                yield each


def test_an_entry_tells_deadline_and_command_and_sorts_by_time() -> None:
    assert deadline_of(entry(1)) == NOW
    assert expiry_of(entry(1)) == Expire(EVENT, purchase_id(1))
    assert sorted([entry(1, 256), entry(2, 255), entry(3, 2**40)]) == [entry(2, 255), entry(1, 256), entry(3, 2**40)]


def test_no_entry_is_found_among_an_events_records_and_no_record_among_the_entries() -> None:
    begun_alike = HOLDS_PREFIX[:16]
    assert not entry(1).startswith(begun_alike + b"p")
    assert not entry(1).startswith(begun_alike + b"e")
    assert not purchase_key(EVENT, purchase_id(1)).startswith(HOLDS_PREFIX)
    assert not event_key(type(EVENT)(bytes=begun_alike)).startswith(HOLDS_PREFIX)


@pytest.mark.parametrize("end", ["confirm", "cancel", "expire"])
def test_a_hold_is_in_the_index_until_it_ends(end: str) -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    key = purchase_key(EVENT, purchase_id(1))
    driver.hold(1, [(FLOOR, 2)], seconds=1)
    due = entry(1, NOW + 1_000)
    assert index_change(key, driver.table[key]) == ((), due)
    driver.cancel(1, [(FLOOR, 1)])
    assert index_change(key, driver.table[key]) == ((), due)
    driver.at += 1_000
    getattr(driver, end)(1)
    assert index_change(key, driver.table[key]) == ((due,), None)


@pytest.mark.parametrize("end", ["confirm", "cancel", "expire"])
def test_a_lengthened_hold_is_in_the_index_with_its_last_deadline_alone(end: str) -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    key = purchase_key(EVENT, purchase_id(1))
    driver.hold(1, seconds=1)
    driver.extend(1, 2)
    assert index_change(key, driver.table[key]) == ((entry(1, NOW + 1_000),), entry(1, NOW + 3_000))
    driver.at += 3_000
    getattr(driver, end)(1)
    # A worker that has slept over the extension has only the first entry.
    assert index_change(key, driver.table[key]) == ((entry(1, NOW + 1_000), entry(1, NOW + 3_000)), None)


def test_a_purchase_and_an_event_change_nothing_in_the_index() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(name="held"))
    driver.buy(1)
    assert [index_change(*record) for record in driver.table.items()] == [((), None)] * 3


@pytest.mark.parametrize("seed", range(3))
def test_the_index_lists_what_the_records_say_after_any_log(seed: int) -> None:
    entries: set[bytes] = set()
    run = LedgerWorker().run(random_log(seed, 300), Random(seed))
    for record in run.changelog:
        gone, come = index_change(*record)
        entries -= set(gone)
        entries |= {come} if come else set()
    held = {key: state_of(decode_purchase(value)) for key, value in run.table.items() if key[16:17] == b"p"}
    assert entries
    assert entries == {
        entry_of(now.deadline, key) for key, now in held.items() if now.deadline and now.status == "held"
    }


def test_what_is_due_is_told_once_and_again_if_the_ledger_refused_it() -> None:
    index, schedule = Index(entry(1), entry(2, NOW + 1)), HoldSchedule()
    assert schedule.due(index.scan, NOW - 1) == []
    assert schedule.due(index.scan, NOW) == [entry(1)]
    schedule.decided(90, [])
    schedule.sent([entry(1)], NOW, 100, NOW)
    assert schedule.due(index.scan, NOW + 1) == [entry(2, NOW + 1)]
    schedule.sent([entry(2, NOW + 1)], NOW + 1, 101, NOW + 1)
    schedule.decided(99, [])
    assert schedule.due(index.scan, NOW + 60_000) == []
    index.entries.remove(entry(1))
    schedule.decided(101, [])
    assert schedule.due(index.scan, NOW + 60_000) == [entry(2, NOW + 1)]


def test_nothing_is_read_before_the_next_deadline_or_when_nothing_is_held() -> None:
    index, schedule = Index(entry(1)), HoldSchedule()
    schedule.due(index.scan, NOW - 500)
    index.read = 0
    schedule.due(index.scan, NOW - 1)
    assert index.read == 0
    index.entries.clear()
    schedule.due(index.scan, NOW)
    index.entries.add(entry(2))
    assert schedule.due(index.scan, NOW + 5) == []
    schedule.decided(7, [entry(2)])
    assert schedule.due(index.scan, NOW + 5) == [entry(2)]


def test_a_shorter_hold_that_comes_later_is_told_first() -> None:
    index, schedule = Index(entry(1, NOW + 900)), HoldSchedule()
    schedule.due(index.scan, NOW)
    index.entries.add(entry(2, NOW + 10))
    schedule.decided(7, [entry(2, NOW + 10)])
    assert schedule.due(index.scan, NOW + 10) == [entry(2, NOW + 10)]


def test_many_are_told_in_bounded_looks_and_no_more_than_the_ledger_can_carry_out() -> None:
    index, schedule = Index(*(entry(number) for number in range(50))), HoldSchedule(batch_max=4, pending_max=10)
    told = [schedule.due(index.scan, NOW) for _ in range(5)]
    assert [len(each) for each in told] == [4, 4, 2, 0, 0]
    index.entries -= set(told[0])
    assert schedule.due(index.scan, NOW) == [entry(number) for number in range(10, 14)]
    for _ in range(20):
        index.entries -= set(schedule._pending)
        schedule.due(index.scan, NOW)
    assert index.entries == set()


def test_what_a_broker_whose_clock_is_behind_found_too_early_is_told_again_as_soon_as_it_is_time() -> None:
    index, schedule = Index(entry(1)), HoldSchedule()
    assert schedule.due(index.scan, NOW) == [entry(1)]
    schedule.sent([entry(1)], NOW, 5, NOW - 300)
    schedule.decided(5, [])
    assert schedule.due(index.scan, NOW + 299) == []
    assert schedule.due(index.scan, NOW + 300) == [entry(1)]


def test_a_clock_that_was_an_hour_ahead_and_is_set_right_delays_no_hold() -> None:
    hour = 3_600_000
    index, schedule = Index(entry(1, NOW + 500)), HoldSchedule()
    assert schedule.due(index.scan, NOW + hour) == [entry(1, NOW + 500)]
    schedule.sent([entry(1, NOW + 500)], NOW + hour, 5, NOW)
    schedule.decided(5, [])
    assert schedule.due(index.scan, NOW + hour + 100) == []
    assert schedule.due(index.scan, NOW + 100) == []
    assert schedule.due(index.scan, NOW + 499) == []
    assert schedule.due(index.scan, NOW + 500) == [entry(1, NOW + 500)]


def test_what_could_not_be_appended_is_told_again_at_once() -> None:
    index, schedule = Index(entry(1)), HoldSchedule()
    schedule.not_sent(schedule.due(index.scan, NOW))
    assert schedule.due(index.scan, NOW) == [entry(1)]
