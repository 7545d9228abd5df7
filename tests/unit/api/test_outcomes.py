"""The follower of outcomes misses nothing that was written while it was cut off."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from api.servers import outcomes
from api.servers.outcomes import OutcomeFollower
from connect.topics import OUTCOMES
from tests.eventually import eventually


class Broker:
    """Records by partition; it cuts off every consumer that polls while it is down."""

    def __init__(self) -> None:
        self.logs: dict[int, list[bytes]] = {0: [], 1: []}
        self.is_down = False
        self.polls = 0
        self.faults = 0

    def connect(self, _: list[str]) -> "Consumer":
        if self.is_down:
            raise KafkaConnectionError("away")
        return Consumer(self)


class Consumer:
    """As much of a consumer as the follower uses."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.positions: dict[TopicPartition, int] = {}

    def partitions_for_topic(self, _: str) -> set[int]:
        return set(self.broker.logs)

    def end_offsets(self, partitions: list[TopicPartition], timeout_ms: int) -> dict[TopicPartition, int]:
        return {each: len(self.broker.logs[each.partition]) for each in partitions}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        if self.broker.is_down:
            self.broker.faults += 1
            raise KafkaConnectionError("away")
        self.broker.polls += 1
        batches = {each: self._batch(each) for each in self.positions}
        return {partition: batch for partition, batch in batches.items() if batch}

    def close(self) -> None:
        self.positions = {}

    def _batch(self, partition: TopicPartition) -> list[Any]:
        begin, log = self.positions[partition], self.broker.logs[partition.partition]
        self.positions[partition] = len(log)
        return [
            SimpleNamespace(topic=OUTCOMES, partition=partition.partition, offset=offset, key=None, value=log[offset])
            for offset in range(begin, len(log))
        ]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def delivered(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | None]]:
    """What a follower has delivered; it follows once this is there."""
    monkeypatch.setattr(outcomes, "RETRY_S", 0.01)
    found: list[bytes | None] = []
    follower = OutcomeFollower("nowhere", lambda key, value: found.append(value), broker.connect)
    follower.open()
    eventually(lambda: follower.is_following, within=5)
    yield found
    follower.close()


def cut_off(broker: Broker) -> None:
    before = broker.faults
    broker.is_down = True
    eventually(lambda: broker.faults > before, within=5)


def back(broker: Broker) -> None:
    before = broker.polls
    broker.is_down = False
    eventually(lambda: broker.polls > before, within=5)


def has(delivered: list[bytes | None], *values: bytes) -> bool:
    return delivered == list(values)


def test_what_was_there_before_is_not_delivered(broker: Broker, delivered: list[bytes | None]) -> None:
    broker.logs[0].append(b"first")
    eventually(partial(has, delivered, b"first"), within=5)


def test_a_partition_that_had_nothing_yet_is_read_from_its_first_end_after_a_fault(
    broker: Broker, delivered: list[bytes | None]
) -> None:
    cut_off(broker)
    broker.logs[1].append(b"while it was cut off")
    back(broker)
    eventually(partial(has, delivered, b"while it was cut off"), within=5)


def test_it_goes_on_where_it_was_after_a_fault(broker: Broker, delivered: list[bytes | None]) -> None:
    broker.logs[0].append(b"before")
    eventually(partial(has, delivered, b"before"), within=5)
    cut_off(broker)
    broker.logs[0].append(b"meanwhile")
    back(broker)
    eventually(partial(has, delivered, b"before", b"meanwhile"), within=5)


def test_a_log_that_has_lost_its_end_is_read_from_the_new_one(broker: Broker, delivered: list[bytes | None]) -> None:
    broker.logs[0].extend([b"one", b"two"])
    eventually(partial(has, delivered, b"one", b"two"), within=5)
    cut_off(broker)
    broker.logs[0].pop()
    back(broker)
    broker.logs[0].append(b"three")
    eventually(partial(has, delivered, b"one", b"two", b"three"), within=5)
