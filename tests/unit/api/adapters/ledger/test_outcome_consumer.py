"""The consumer of outcomes misses nothing that was written while it was cut off."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from api.adapters.ledger.outcome_consumer import OutcomeConsumer, OutcomeFanout, Reader
from connect.client_options import ClientOptions
from connect.records import connection
from connect.records.fetching import SkippedOffsets
from connect.records.unread import unreadable_offsets
from connect.topics import OUTCOMES
from tests.unit.api.soon import soon

PLACES = [TopicPartition(OUTCOMES, number) for number in (0, 1)]


class Broker:
    """Records by partition; it cuts off every consumer that polls while it is down, and is silent while it is mute."""

    def __init__(self) -> None:
        self.logs: dict[int, list[Any]] = {0: [], 1: []}
        self.is_down = False
        self.is_mute = False
        self.polls = 0
        self.faults = 0
        self.consumers = 0
        self.admission: asyncio.Future[None] | None = None

    def connect(self, _: ClientOptions) -> "Consumer":
        self.consumers += 1
        return Consumer(self)


class Consumer:
    """As much of an aiokafka consumer as is used."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.positions: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        if self.broker.admission is not None:
            await self.broker.admission
        if self.broker.is_down:
            raise KafkaConnectionError("away")

    async def stop(self) -> None:
        self.positions = {}

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(OUTCOMES, number) for number in self.broker.logs}

    def unsubscribe(self) -> None: ...

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: len(self.broker.logs[each.partition]) for each in partitions}

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.001)
        if self.broker.is_down:
            self.broker.faults += 1
            raise KafkaConnectionError("away")
        self.broker.polls += 1
        if self.broker.is_mute:
            return {}
        batches = {each: self._batch(each) for each in self.positions}
        return {partition: batch for partition, batch in batches.items() if batch}

    def _batch(self, partition: TopicPartition) -> list[Any]:
        begin, log = self.positions[partition], self.broker.logs[partition.partition]
        self.positions[partition] = len(log)
        return [_record(partition, offset, log[offset]) for offset in range(begin, len(log))]


def _record(partition: TopicPartition, offset: int, value: Any) -> Any:
    if isinstance(value, bytes):
        return SimpleNamespace(topic=OUTCOMES, partition=partition.partition, offset=offset, key=None, value=value)
    return SkippedOffsets(offset, offset, value, b"")


Scenario = Callable[[Broker, list[bytes | None], OutcomeConsumer], Awaitable[None]]


def consume(scenario: Scenario, **times: float) -> None:
    """Carry it out while a consumer runs, and keep what that reads."""

    async def run() -> None:
        broker, found = Broker(), list[bytes | None]()
        broker.logs[0].append(b"before it was opened")
        consumer = OutcomeConsumer({}, lambda key, value: found.append(value), broker.connect, retry_s=0.01, **times)
        consumer.open()
        await soon(lambda: consumer.is_following)
        try:
            await scenario(broker, found, consumer)
        finally:
            await consumer.close()

    asyncio.run(run())


async def cut_off(broker: Broker) -> None:
    before = broker.faults
    broker.is_down = True
    await soon(lambda: broker.faults > before)


async def back(broker: Broker) -> None:
    before = broker.polls
    broker.is_down = False
    await soon(lambda: broker.polls > before)


def test_a_record_that_a_reader_fails_at_holds_up_no_other() -> None:
    async def run() -> None:
        broker, found = Broker(), list[bytes | None]()

        def read(_: bytes | None, value: bytes | None) -> None:
            found.append(value)
            if value == b"odd":
                raise OverflowError

        consumer = OutcomeConsumer({}, read, broker.connect, retry_s=0.01)
        consumer.open()
        await soon(lambda: consumer.is_following)
        try:
            broker.logs[0] += [b"odd", b"good"]
            await soon(lambda: b"good" in found)
            assert found == [b"odd", b"good"]
        finally:
            await consumer.close()

    asyncio.run(run())


def test_what_was_there_before_is_not_delivered() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        broker.logs[0].append(b"first")
        await soon(lambda: found == [b"first"])

    consume(scenario)


def test_a_partition_that_had_nothing_yet_is_read_from_its_first_end_after_a_fault() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        await cut_off(broker)
        broker.logs[1].append(b"while it was cut off")
        await back(broker)
        await soon(lambda: found == [b"while it was cut off"])

    consume(scenario)


async def hang(_: object) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("stop", [Consumer.stop, hang])
def test_it_goes_on_where_it_was_after_a_fault(stop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Consumer, "stop", stop)
    monkeypatch.setattr(connection, "STOP_TIMEOUT_S", 0.05)

    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        broker.logs[0].append(b"before")
        await soon(lambda: found == [b"before"])
        await cut_off(broker)
        broker.logs[0].append(b"meanwhile")
        await back(broker)
        await soon(lambda: found == [b"before", b"meanwhile"])

    consume(scenario)


def test_a_log_that_has_lost_its_end_is_read_from_the_new_one() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        broker.logs[0].extend([b"one", b"two"])
        await soon(lambda: found == [b"one", b"two"])
        await cut_off(broker)
        broker.logs[0].pop()
        await back(broker)
        broker.logs[0].append(b"three")
        await soon(lambda: found == [b"one", b"two", b"three"])

    consume(scenario)


def test_a_topic_that_is_made_anew_with_fewer_partitions_is_followed() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        await cut_off(broker)
        broker.logs = {0: []}
        await back(broker)
        connected, polls = broker.consumers, broker.polls
        broker.logs[0].append(b"one")
        await soon(lambda: found == [b"one"] and broker.polls > polls + 20)
        assert broker.consumers == connected

    consume(scenario, quiet_check_after_s=0.001)


def test_what_can_not_be_read_is_counted_and_gone_by() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        before = unreadable_offsets[OUTCOMES]
        broker.logs[0].extend([b"one", None, ValueError("broken"), b"two"])
        await soon(lambda: found == [b"one", b"two"])
        assert unreadable_offsets[OUTCOMES] == before + 1
        await cut_off(broker)
        await back(broker)
        broker.logs[0].append(b"three")
        await soon(lambda: found == [b"one", b"two", b"three"])

    consume(scenario)


def test_polls_that_bring_nothing_of_what_is_there_are_begun_anew() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], _: OutcomeConsumer) -> None:
        broker.is_mute = True
        broker.logs[0].append(b"unseen")
        await soon(lambda: broker.consumers > 1)
        broker.is_mute = False
        await soon(lambda: found == [b"unseen"])

    consume(scenario, quiet_check_after_s=0.02)


def test_a_consumer_that_does_not_hear_from_the_broker_is_not_following() -> None:
    async def scenario(broker: Broker, found: list[bytes | None], consumer: OutcomeConsumer) -> None:
        await cut_off(broker)
        await soon(lambda: not consumer.is_following)

    consume(scenario, lost_after_s=0.05)


@pytest.mark.parametrize("turns", range(4))
def test_it_closes_though_an_attempt_to_connect_just_then_fails(turns: int) -> None:
    async def scenario(broker: Broker, _: list[bytes | None], consumer: OutcomeConsumer) -> None:
        broker.admission = admission = asyncio.get_running_loop().create_future()
        await cut_off(broker)
        await soon(lambda: broker.consumers > 1)
        broker.admission = None
        admission.set_exception(KafkaConnectionError("away"))
        for _turn in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await consumer.close()

    consume(scenario)


def test_an_outcome_goes_to_the_caches_before_the_requests() -> None:
    read: list[tuple[str, bytes | None, bytes | None]] = []

    def reader(name: str) -> Reader:
        return lambda key, value: read.append((name, key, value))

    OutcomeFanout(reader("cache"), reader("requests"))(b"event", b"outcome")
    assert read == [("cache", b"event", b"outcome"), ("requests", b"event", b"outcome")]


def test_a_reader_that_fails_keeps_an_outcome_from_no_other() -> None:
    read: list[bytes | None] = []

    def fail(key: bytes | None, value: bytes | None) -> None:
        raise OverflowError(value)

    with pytest.raises(OverflowError, match="outcome"):
        OutcomeFanout(fail, lambda key, value: read.append(value))(b"event", b"outcome")
    assert read == [b"outcome"]
