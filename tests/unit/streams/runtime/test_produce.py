"""Appending waits for brokers that are unavailable, and logs that once."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from streams.runtime import failures, produce
from streams.runtime.counters import Counters
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced, append


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


def test_brokers_that_are_away_are_waited_for(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    brokers = Brokers(
        UnknownTopicOrPartitionError(), KafkaConnectionError("closed"), TopicAuthorizationFailedError("outcomes")
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
    monkeypatch.setattr(produce, "append_once", Brokers(MessageSizeTooLargeError()).take)
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(append(app, "outcomes", 3, [Record(b"a", b"1")]))
