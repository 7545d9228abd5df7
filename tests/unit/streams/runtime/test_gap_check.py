"""Which missing offsets are a gap; application and consumer are fakes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.runtime.gap_check import GapCheck
from streams.runtime.skips import SkippedRanges
from tables.errors import InvariantBroken

INPUT = "commands"


class FakeSignal:
    def __init__(self) -> None:
        self.send: Any = None

    def connect(self, receiver: Any) -> None:
        self.send = receiver


def checking(begins: int | None, *skips: tuple[int, int]) -> GapCheck:
    known = SkippedRanges()
    for first, last in skips:
        known.add(TP(INPUT, 0), first, last)
    consumer = SimpleNamespace(start_offset={TP(INPUT, 0): begins}.get, next_readable=known.next_readable)
    app: Any = SimpleNamespace(consumer=consumer, inputs=[], on_partitions_assigned=FakeSignal())
    return GapCheck(app, INPUT)


def at(offset: int) -> Any:
    return SimpleNamespace(partition=0, offset=offset)


def test_records_follow_each_other_from_where_the_reading_begins() -> None:
    check = checking(5)
    check.check(0, [at(5)])
    check.check(0, [at(6)])
    check.check(0, [at(6)])  # twice is not lost
    assert check.next_offset(0) == 7


@pytest.mark.parametrize("came", [1, 134])
def test_where_nothing_was_ever_committed_the_first_is_due_too(came: int) -> None:
    with pytest.raises(InvariantBroken, match=rf"expected offset 0, got {came}"):
        checking(0).check(0, [at(came)])


def test_a_gap_is_an_error() -> None:
    check = checking(5)
    check.check(0, [at(5)])
    with pytest.raises(InvariantBroken, match="expected offset 6, got 7"):
        check.check(0, [at(7)])


def test_what_the_fetcher_passed_over_is_no_gap() -> None:
    check = checking(3, (3, 4), (6, 6))
    assert check.next_offset(0) == 5
    check.check(0, [at(5)])
    check.check(0, [at(7)])


def test_an_offset_beside_what_the_fetcher_passed_over_is_a_gap() -> None:
    check = checking(5, (6, 7))
    check.check(0, [at(5)])
    with pytest.raises(InvariantBroken, match="expected offset 8, got 9"):
        check.check(0, [at(9)])


def test_a_partition_that_is_not_read_has_no_record_due() -> None:
    with pytest.raises(InvariantBroken, match="expected offset None"):
        checking(None).check(0, [at(0)])


def test_after_a_rebalance_the_reading_begins_anew() -> None:
    check = checking(5)
    check.check(0, [at(5)])
    assigned: Any = check._app.on_partitions_assigned
    asyncio.run(assigned.send())
    assert check.next_offset(0) == 5
