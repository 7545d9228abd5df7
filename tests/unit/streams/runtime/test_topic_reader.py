"""Reading a topic from offsets to ends; the consumer is a fake that gives two records a poll."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

import streams.runtime.changelog
from connect.records.fetching import SkippedOffsets
from streams.runtime.topic_reader import Offsets, TopicReader

TOPIC = "rows"


class FakeConsumer:
    def __init__(self, *offsets: int) -> None:
        self.records: list[Any] = [SimpleNamespace(offset=each, value=b"%d" % each) for each in offsets]
        self.at: dict[TopicPartition, int] = {}
        self.end = offsets[-1] + 1

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(TOPIC, 0)}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.end)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at[place] = offset

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        [place] = self.at
        found = [each for each in self.records if each.offset >= self.at[place]][:max_records]
        if found:
            self.at[place] = (found[-1].last if isinstance(found[-1], SkippedOffsets) else found[-1].offset) + 1
        return {place: found}

    async def position(self, place: TopicPartition) -> int:
        return self.at[place]


def read(consumer: FakeConsumer, begins: Offsets) -> list[list[bytes | None]]:
    async def all_of_it() -> list[list[bytes | None]]:
        reader = TopicReader(consumer, TOPIC, 2)
        return [values async for values in reader.read(begins, await reader.end_offsets())]

    return asyncio.run(all_of_it())


def test_all_between_begin_and_end_is_read_and_the_begin_moves_on() -> None:
    consumer, begins = FakeConsumer(3, 5, 6, 9), {0: 4}
    assert read(consumer, begins) == [[b"5", b"6"], [b"9"]]
    assert begins == {0: 10}
    assert read(consumer, begins) == []


def test_the_reading_ends_where_nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.runtime.changelog, "READ_TIMEOUT_S", 0.0)
    consumer = FakeConsumer(3)
    consumer.records = []
    with pytest.raises(KafkaTimeoutError, match="nothing more of rows"):
        read(consumer, {0: 0})


def test_what_can_not_be_read_is_left_out() -> None:
    consumer, begins = FakeConsumer(3, 4, 5), {0: 0}
    consumer.records[1] = SkippedOffsets(4, 4, ValueError("odd"))
    assert read(consumer, begins) == [[b"3"], [b"5"]]
