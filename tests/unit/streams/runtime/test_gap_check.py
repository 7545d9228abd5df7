"""Offsets that never came: what the watch of an input lets pass. App and consumer are fakes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.runtime.gap_check import InputWatch
from streams.runtime.skips import Skips
from tables.errors import InvariantBroken

INPUT = "commands"


class FakeSignal:
    def __init__(self) -> None:
        self.send: Any = None

    def connect(self, receiver: Any) -> None:
        self.send = receiver


def watching(begins: int | None, *skips: tuple[int, int]) -> InputWatch:
    known = Skips()
    for first, last in skips:
        known.add(TP(INPUT, 0), first, last)
    consumer = SimpleNamespace(begins={TP(INPUT, 0): begins}.get, behind=known.behind)
    app: Any = SimpleNamespace(consumer=consumer, watched=[], on_partitions_assigned=FakeSignal())
    return InputWatch(app, INPUT)


def at(offset: int) -> Any:
    return SimpleNamespace(partition=0, offset=offset)


def test_records_follow_each_other_from_where_the_reading_begins() -> None:
    watch = watching(5)
    watch.expect(at(5))
    watch.expect(at(6))
    watch.expect(at(6))  # twice is not lost
    assert watch.due(0) == 7


@pytest.mark.parametrize("came", [1, 134])
def test_where_nothing_was_ever_committed_the_first_is_due_too(came: int) -> None:
    with pytest.raises(InvariantBroken, match=rf"offset 0 was due, {came} came"):
        watching(0).expect(at(came))


def test_a_gap_is_an_error() -> None:
    watch = watching(5)
    watch.expect(at(5))
    with pytest.raises(InvariantBroken, match="offset 6 was due, 7 came"):
        watch.expect(at(7))


def test_what_the_fetcher_passed_over_is_no_gap() -> None:
    watch = watching(3, (3, 4), (6, 6))
    assert watch.due(0) == 5
    watch.expect(at(5))
    watch.expect(at(7))


def test_an_offset_beside_what_the_fetcher_passed_over_is_a_gap() -> None:
    watch = watching(5, (6, 7))
    watch.expect(at(5))
    with pytest.raises(InvariantBroken, match="offset 8 was due, 9 came"):
        watch.expect(at(9))


def test_a_partition_that_is_not_read_has_no_record_due() -> None:
    with pytest.raises(InvariantBroken, match="offset None was due"):
        watching(None).expect(at(0))


def test_after_a_rebalance_the_reading_begins_anew() -> None:
    watch = watching(5)
    watch.expect(at(5))
    assigned: Any = watch._app.on_partitions_assigned
    asyncio.run(assigned.send())
    assert watch.due(0) == 5
