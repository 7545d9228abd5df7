"""Transient errors are retried and logged once; others are not."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from streams.runtime import retry
from streams.runtime.agents import Interrupted
from streams.runtime.counters import Counters
from streams.runtime.produce import Produced, Record
from streams.runtime.retry import append, with_retries


class Transient(Exception):
    """An error that passes."""


def app(*, active: bool = True, should_stop: bool = False) -> Any:
    flow = SimpleNamespace(is_active=lambda: active)
    return SimpleNamespace(should_stop=should_stop, flow_control=flow, counters=Counters())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_FIRST_S", 0.001)
    monkeypatch.setattr(retry, "INTERRUPT_CHECK_S", 0.001)


def failing(times: int) -> Any:
    left = [Transient("down")] * times

    async def action() -> str:
        if left:
            raise left.pop()
        return "done"

    return action


def test_a_passing_fault_is_waited_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    result = asyncio.run(with_retries(app(), failing(4), doing="indexing", transient=(Transient,)))

    assert result == "done"
    assert [record.message.split(" ", 1)[1] for record in caplog.records] == [
        "failed, retrying until it works: Transient('down')",
        "works again",
    ]


def test_another_error_is_not_waited_out() -> None:
    async def action() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(with_retries(app(), action, doing="indexing", transient=(Transient,)))


@pytest.mark.parametrize("state", [{"active": False}, {"should_stop": True}])
def test_waiting_ends_when_the_partitions_are_taken_or_the_worker_stops(state: dict[str, bool]) -> None:
    worker = app(**state)
    with pytest.raises(Interrupted):
        asyncio.run(with_retries(worker, failing(1), doing="indexing", transient=(Transient,)))
    # Whoever takes over waits, not this worker.
    assert worker.counters._waiting_since == {"indexing": 0.0}


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
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    brokers = Brokers(UnknownTopicOrPartitionError(), KafkaConnectionError("closed"))
    monkeypatch.setattr(retry, "append_once", brokers.take)
    records = [Record(b"a", b"1"), Record(b"b", b"2")]

    place = asyncio.run(append(app(), "outcomes", 3, iter(records)))

    assert (place.offsets, brokers.log) == (range(2), records)
    [line] = caplog.messages
    assert line.startswith("appending to outcomes failed, retrying until it works")


def test_what_several_wait_for_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "streams")
    brokers = Brokers(*(KafkaConnectionError("closed") for _ in range(5)))
    monkeypatch.setattr(retry, "append_once", brokers.take)
    worker = app()

    async def run() -> None:
        await asyncio.gather(*(append(worker, "outcomes", number, [Record(b"a", b"1")]) for number in range(3)))

    asyncio.run(run())
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "appending to outcomes failed, retrying until it works",
        "appending to outcomes works again",
    ]
    assert not worker.counters.is_waiting


def test_what_no_broker_will_ever_take_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "append_once", Brokers(MessageSizeTooLargeError()).take)
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(append(app(), "outcomes", 3, [Record(b"a", b"1")]))
