"""A changelog is read from the folder's mark to its present end; the consumer is a fake."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

import streams.runtime.changelog
from connect.records.fetching import BadChecksum, SkippedOffsets
from streams.runtime.changelog import Rows, changes, follow
from tables.errors import InvariantBroken


class Consumer:
    """A log of which a compaction has left some offsets, given out two records at once."""

    def __init__(self) -> None:
        self.records = {0: [2, 3, 7, 8], 1: [0]}
        self.ends = {0: 10, 1: 1}
        self.at: dict[TopicPartition, int] = {}
        self.state = "made"
        self._fetcher = SimpleNamespace(_isolation_level=0)
        self.odd: dict[int, SkippedOffsets] = {}

    async def start(self) -> None:
        self.state = "started"

    async def stop(self) -> None:
        self.state = "stopped"

    def assign(self, places: list[TopicPartition]) -> None:
        self.places = places

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at[place] = offset

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        assert self._fetcher._isolation_level == 0, "the ends of what is committed are not those of the log"
        return {place: self.ends[place.partition] for place in places}

    async def position(self, place: TopicPartition) -> int:
        return self.at[place]

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, Any]:
        return {place: self._next(place) for place in places or self.places}

    def _next(self, place: TopicPartition) -> list[Any]:
        assert self._fetcher._isolation_level == 1, "what may be aborted is read"
        left = [offset for offset in self.records[place.partition] if offset >= self.at[place]]
        self.at[place] = left[2] if len(left) > 2 else self.ends[place.partition]
        return [self.odd.get(offset) or SimpleNamespace(key=b"%d" % offset, value=b"x") for offset in left[:2]]


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    consumer = Consumer()
    monkeypatch.setattr(streams.runtime.changelog, "AIOKafkaConsumer", lambda **_: consumer)
    return consumer


def read(**begins: int) -> list[tuple[int, list[bytes], int]]:
    async def all_of_it() -> list[tuple[int, Rows, int]]:
        places = {int(name[1:]): begin for name, begin in begins.items()}
        return [each async for each in changes({}, "changelog", places)]

    return [(partition, [key for key, _ in rows], due) for partition, rows, due in asyncio.run(all_of_it())]


def test_all_is_read_up_to_the_ends_also_over_what_a_compaction_took(consumer: Consumer) -> None:
    assert read(p0=0, p1=0) == [(0, [b"2", b"3"], 7), (1, [b"0"], 1), (0, [b"7", b"8"], 10)]
    assert consumer.state == "stopped"


def test_only_what_the_folder_lacks_is_read(consumer: Consumer) -> None:
    assert read(p0=8, p1=1) == [(0, [b"8"], 10)]


def test_a_folder_that_knows_more_than_the_changelog_has_is_refused(consumer: Consumer) -> None:
    with pytest.raises(InvariantBroken, match=r"changelog\[1\] ends at 1, the local folder knows it up to 5"):
        read(p1=5)
    assert consumer.state == "stopped"


@pytest.mark.parametrize("error", [None, ValueError("a bomb")])
def test_what_can_be_none_of_ours_is_passed_over(consumer: Consumer, error: Exception | None) -> None:
    consumer.odd[7] = SkippedOffsets(4, 7, error)
    assert read(p0=0, p1=1) == [(0, [b"2", b"3"], 7), (0, [b"8"], 10)]


def test_that_nothing_but_markers_stands_at_the_end_is_told(consumer: Consumer) -> None:
    consumer.odd |= {7: SkippedOffsets(4, 7), 8: SkippedOffsets(8, 9)}
    assert read(p0=0, p1=1) == [(0, [b"2", b"3"], 7), (0, [], 10)]


def test_a_record_of_ours_that_can_not_be_read_leaves_no_table_to_work_on(consumer: Consumer) -> None:
    consumer.odd[7] = SkippedOffsets(4, 7, BadChecksum("wrong"))
    with pytest.raises(InvariantBroken, match=r"changelog\[0\]@4-7 is damaged"):
        read(p0=0)


def test_the_reading_ends_where_nothing_comes_any_more(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.runtime.changelog, "READ_TIMEOUT_S", 0.0)
    monkeypatch.setattr(consumer, "_next", lambda place: ())
    with pytest.raises(KafkaTimeoutError, match="nothing more of changelog"):
        read(p0=0)


def test_copies_go_on_behind_what_is_no_record(consumer: Consumer) -> None:
    consumer.odd[3] = SkippedOffsets(3, 6)

    async def first() -> Any:
        return await anext(follow({}, "changelog", {0: 0}))

    assert asyncio.run(first()) == (0, [(b"2", b"x")], 7)
