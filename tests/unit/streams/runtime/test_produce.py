"""Appending waits for brokers that are unavailable, and logs that once."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    InvalidTopicError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from connect.records.batches import decode_records, parse_batch
from streams.runtime import failures, produce
from streams.runtime.counters import Counters
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced, append, append_once


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(failures, "BACKOFF_FIRST_S", 0.001)
    flow = SimpleNamespace(is_active=lambda: True)
    return SimpleNamespace(should_stop=False, flow_control=flow, counters=Counters())


class Brokers:
    """Take what is appended, but for the first attempts, which end in these errors."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.log: list[Record] = []

    async def take(self, app: Any, topic: str, partition: int, records: list[Record]) -> Produced:
        if self.errors:
            raise self.errors.pop(0)
        self.log += records
        return Produced(range(len(records)))


class Producer:
    """aiokafka's, whose batches have at most 200 bytes; a broker appends them from offset 7 on."""

    def __init__(self) -> None:
        self.batches: list[list[Record]] = []
        self._end = 7

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(200, 0)

    async def send_batch(self, builder: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        assert (topic, partition) == ("outcomes", 3)
        builder.close()
        found = decode_records(parse_batch(bytes(builder._build())))
        self.batches.append([Record(one.key, one.value, tuple(one.headers)) for one in found])  # type: ignore[union-attr]
        self._end += builder.record_count()
        stored: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stored.set_result(RecordMetadata("outcomes", 3, None, self._end - builder.record_count(), self._end, 1, 0))
        return stored


def test_records_go_in_their_order_in_as_many_batches_as_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Producer()

    async def made(app: Any) -> Producer:
        return producer

    monkeypatch.setattr(produce, "_producer", made)
    small = [Record(b"%d" % number, b"v" * 40, (("name", None),)) for number in range(5)]
    large, last = Record(None, b"v" * 1_000), Record(b"last", None)
    app: Any = None

    stored = asyncio.run(append_once(app, "outcomes", 3, [*small, large, last]))

    assert producer.batches == [small[:2], small[2:4], small[4:], [large], [last]]
    assert stored == Produced(range(7, 14), 14)
    assert asyncio.run(append_once(app, "outcomes", 3, [])) == Produced()


def test_brokers_that_are_away_are_waited_for(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    brokers = Brokers(
        UnknownTopicOrPartitionError(),
        KafkaConnectionError("closed"),
        TopicAuthorizationFailedError("outcomes"),
        MessageSizeTooLargeError(),
    )
    monkeypatch.setattr(produce, "append_once", brokers.take)
    records = [Record(b"a", b"1"), Record(b"b", b"2")]

    place = asyncio.run(append(app, "outcomes", 3, iter(records)))

    assert (place.offsets, brokers.log) == (range(2), records)
    [line] = caplog.messages
    assert line.startswith("appending to outcomes failed, retrying until it works")


def test_what_several_wait_for_is_said_once(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "streams")
    brokers = Brokers(*(KafkaConnectionError("closed") for _ in range(5)))
    monkeypatch.setattr(produce, "append_once", brokers.take)

    async def run() -> None:
        await asyncio.gather(*(append(app, "outcomes", number, [Record(b"a", b"1")]) for number in range(3)))

    asyncio.run(run())
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "appending to outcomes failed, retrying until it works",
        "appending to outcomes works again",
    ]
    assert not app.counters.is_waiting


def test_what_no_broker_will_ever_take_is_not_tried_again(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(produce, "append_once", Brokers(InvalidTopicError()).take)
    with pytest.raises(InvalidTopicError):
        asyncio.run(append(app, "outcomes", 3, [Record(b"a", b"1")]))
