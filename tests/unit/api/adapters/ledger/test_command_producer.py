"""The producer of commands: many in one batch, each told what became of it; and a new producer where one has ended."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from api.adapters.ledger import command_producer
from api.adapters.ledger.command_producer import GIVE_UP_S, LINGER_S, CommandProducer
from api.problems import Unavailable
from connect.client_options import ClientOptions
from connect.records import connection
from connect.topics import COMMANDS
from tests.unit.api.adapters.test_catalogue_check import listing
from tests.unit.api.soon import soon

PARTITIONS = 4
# Of the first record of each batch.
OFFSET = 7


class Builder:
    """Room for so many records."""

    room = 1_000

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes, headers: list[Any]) -> object:
        if len(self.records) >= self.room:
            return None
        self.records.append((key, value))
        return object()


class Producer:
    """Keeps batches; each of them ends as ``ends`` says."""

    def __init__(self, ends: Callable[[], Awaitable[Any]]) -> None:
        self.ends = ends
        self.sent: list[tuple[int, Builder]] = []
        self.stopped = self.has_ended = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        # Somebody has added partitions, which nobody reads.
        return set(range(2 * PARTITIONS)) if topic == COMMANDS else set()

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, builder: Builder, topic: str, *, partition: int) -> Awaitable[Any]:
        if self.has_ended:
            raise KafkaError("Unexpected error during batch delivery")
        self.sent.append((partition, builder))
        return self.ends()


class NarrowProducer(Producer):
    """Has room for one batch until ``leave`` is called; no more than one other may wait for it."""

    def __init__(self, ends: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(ends)
        self._room = asyncio.Semaphore(1)
        self.waiting = 0

    def leave(self) -> None:
        self._room.release()

    async def send_batch(self, builder: Builder, topic: str, *, partition: int) -> Awaitable[Any]:
        self.waiting += 1
        assert self.waiting == 1
        await self._room.acquire()
        self.waiting -= 1
        return await super().send_batch(builder, topic, partition=partition)


class HungProducer(Producer):
    """Takes for ever to stop."""

    async def stop(self) -> None:
        await super().stop()
        await asyncio.sleep(60)


class OddProducer(Producer):
    """Fails to stop as no library should."""

    async def stop(self) -> None:
        await super().stop()
        raise RuntimeError("odd")


class LostProducer(OddProducer):
    """Fails to start as no library should: a broker has answered nonsense."""

    async def start(self) -> None:
        raise TypeError("'NoneType' object is not iterable")


class Cluster:
    """Makes producers, whose batches are all taken, refused or never answered."""

    def __init__(self) -> None:
        self.producers: list[Any] = []
        self.kind: type[Producer] = Producer
        self.error: Exception | None = None
        self.is_away = False

    def connect(self, _: ClientOptions) -> Any:
        if self.is_away:
            raise KafkaConnectionError("away")
        self.producers.append(self.kind(self._end))
        return self.producers[-1]

    async def _end(self) -> Any:
        if self.error is not None:
            raise self.error
        return SimpleNamespace(offset=OFFSET)


Scenario = Callable[[Cluster, CommandProducer], Awaitable[None]]


def opened(scenario: Scenario, kind: type[Producer] = Producer, give_up_s: float = GIVE_UP_S) -> None:
    async def run() -> None:
        cluster = Cluster()
        cluster.kind = kind
        producer = CommandProducer({}, PARTITIONS, cluster.connect, retry_s=0.01, give_up_s=give_up_s)
        producer.open()
        await soon(lambda: producer.is_open)
        try:
            await scenario(cluster, producer)
        finally:
            await producer.close()
        assert all(made.stopped for made in cluster.producers)

    asyncio.run(run())


def test_what_comes_within_a_moment_is_one_batch_of_its_partition() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        done: list[object] = []
        for _ in range(10):
            producer.append(b"one event", b"x", done.append, done.append)
        await soon(lambda: len(done) == 10)
        assert done == list(range(OFFSET, OFFSET + 10))
        [(_, builder)] = cluster.producers[0].sent
        assert len(builder.records) == 10

    opened(scenario)


def test_records_of_one_key_are_stored_in_their_order_before_they_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Builder, "room", 2)

    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        await producer.send(COMMANDS, b"one purchase", b"1", b"2", b"3")
        sent = [value for _, builder in cluster.producers[0].sent for _, value in builder.records]
        assert sent == [b"1", b"2", b"3"]
        cluster.error = KafkaTimeoutError()
        with pytest.raises(Unavailable):
            await producer.send(COMMANDS, b"one purchase", b"1", b"2")

    opened(scenario)


def test_background_records_that_come_quickly_gather_until_one_comes_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command_producer, "BACKGROUND_LINGER_S", 60)
    monkeypatch.setattr(command_producer, "BACKGROUND_GAP_S", 30)

    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        done: list[object] = []

        async def put(value: bytes, *, is_background: bool) -> None:
            producer.append(b"one purchase", value, done.append, done.append, is_background=is_background)
            await asyncio.sleep(3 * LINGER_S)

        await put(b"1", is_background=True)
        await soon(lambda: len(done) == 1)
        await put(b"2", is_background=True)
        assert len(cluster.producers[0].sent) == 1
        await put(b"3", is_background=False)
        await soon(lambda: len(done) == 3)
        assert [value for _, value in cluster.producers[0].sent[1][1].records] == [b"2", b"3"]
        producer._background_at -= 31
        await asyncio.wait_for(producer.send(COMMANDS, b"one purchase", b"4", is_background=True), 10)

    opened(scenario)


def test_a_batch_that_is_full_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Builder, "room", 3)

    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        done: list[object] = []
        for number in range(10):
            producer.append(b"one event", b"%d" % number, done.append, done.append)
        await soon(lambda: len(done) == 10)
        sent = [value for _, builder in cluster.producers[0].sent for _, value in builder.records]
        assert sent == [b"%d" % number for number in range(10)]

    opened(scenario)


async def appended_slowly(producer: CommandProducer, count: int) -> list[object]:
    """What becomes of so many records of one partition that are too far apart to share a batch."""
    told: list[object] = []
    for number in range(count):
        producer.append(b"one event", b"%d" % number, told.append, told.append)
        await asyncio.sleep(2 * LINGER_S)
    return told


def test_records_gather_while_a_batch_of_their_partition_waits_for_room() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        told = await appended_slowly(producer, 12)
        [narrow] = cluster.producers
        assert (told, narrow.waiting) == ([OFFSET], 1)
        narrow.leave()
        narrow.leave()
        await soon(lambda: len(told) == 12)
        sent = [[value for _, value in builder.records] for _, builder in narrow.sent]
        assert sent == [[b"0"], [b"1"], [b"%d" % number for number in range(2, 12)]]
        assert told == [OFFSET, OFFSET, *range(OFFSET, OFFSET + 10)]

    opened(scenario, NarrowProducer)


def test_records_that_waited_too_long_for_room_are_not_sent_any_more() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        told = await appended_slowly(producer, 3)
        await asyncio.sleep(0.2)
        [narrow] = cluster.producers
        narrow.leave()
        await soon(lambda: len(told) == 3)
        assert [len(builder.records) for _, builder in narrow.sent] == [1, 1]
        assert [type(each) for each in told] == [int, KafkaTimeoutError, int]

    opened(scenario, NarrowProducer, give_up_s=0.1)


def test_all_of_a_batch_are_told_that_it_is_not_known_to_be_in_the_log() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        cluster.error = KafkaTimeoutError()
        done, failed = list[object](), list[Exception]()
        for _ in range(3):
            producer.append(b"one event", b"x", done.append, failed.append)
        await soon(lambda: len(failed) == 3)
        assert (done, len(cluster.producers)) == ([], 1)

    opened(scenario)


def test_a_producer_that_has_ended_is_replaced() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        cluster.error = KafkaError("Unexpected error during batch delivery")
        told: list[object] = []
        producer.append(b"one event", b"x", told.append, told.append)
        await soon(lambda: told and len(cluster.producers) == 2 and producer.is_open)
        cluster.error = None
        producer.append(b"one event", b"x", told.append, told.append)
        await soon(lambda: told[1:] == [OFFSET])

    opened(scenario)


@pytest.mark.parametrize("kind", [HungProducer, OddProducer])
def test_no_partition_waits_for_the_end_of_the_producer_before(
    kind: type[Producer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STOP_TIMEOUT_S", 0.5)

    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        cluster.producers[0].has_ended, cluster.kind = True, Producer
        told: list[object] = []
        producer.append(b"one event", b"x", told.append, told.append)
        await soon(lambda: told and len(cluster.producers) == 2 and producer.is_open)
        producer.append(b"one event", b"x", told.append, told.append)
        await asyncio.sleep(0.2)
        assert told[1:] == [OFFSET]

    opened(scenario, kind)


def test_it_connects_again_and_again_until_it_works() -> None:
    async def run() -> None:
        cluster = Cluster()
        cluster.is_away = True
        producer = CommandProducer({}, PARTITIONS, cluster.connect, retry_s=0.01)
        producer.open()
        with pytest.raises(Unavailable):
            producer.append(b"key", b"value", lambda _: None, lambda _: None)
        cluster.is_away, cluster.kind = False, LostProducer
        await soon(lambda: len(cluster.producers) == 2)
        cluster.kind = Producer
        await soon(lambda: producer.is_open)
        await producer.close()
        with pytest.raises(Unavailable):
            producer.append(b"key", b"value", lambda _: None, lambda _: None)

    asyncio.run(run())


def test_what_is_on_its_way_is_sent_before_it_closes() -> None:
    async def run() -> None:
        cluster, told = Cluster(), list[object]()
        producer = CommandProducer({}, PARTITIONS, cluster.connect, retry_s=0.01)
        producer.open()
        await soon(lambda: producer.is_open)
        producer.append(b"key", b"value", told.append, told.append)
        await producer.close()
        assert told == [OFFSET]

    asyncio.run(run())


def test_a_definition_is_announced_once_it_is_in_the_log_and_not_before() -> None:
    async def scenario(cluster: Cluster, producer: CommandProducer) -> None:
        from api.organizing.changes import definition
        from tables.messages.commands import DefineEvent

        told = listing()
        command = DefineEvent(uuid4(), 1, definition(told))
        await producer.announce(command)
        assert len(cluster.producers[0].sent) == 1
        cluster.error = KafkaTimeoutError()
        with pytest.raises(Unavailable):
            await producer.announce(command)

    opened(scenario)
