"""Topics for a measurement: made, filled in advance, counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from connect.provisioning import open_admin, provision
from connect.topics import COMMANDS, OUTCOMES, all_topics
from settings import Settings
from tables.messages.commands import EventCommand, encode_command

BATCH_MAX_BYTES = 512 * 1024
FILL_BATCH_RECORDS = 5_000

Placed = tuple[int, bytes, EventCommand]
# Partition, key and value.
PlacedValue = tuple[int, bytes, bytes]


def make_topics(settings: Settings) -> None:
    """Make every topic of the catalogue."""
    admin = open_admin(settings)
    try:
        provision(admin, all_topics(), settings)
    finally:
        admin.close()


async def fill(servers: str, commands: Iterable[Placed], tick: Callable[[int], None]) -> Counter[int]:
    """Append the commands (partition, key, command) in order, in large batches; how many went to each partition."""
    return await fill_topic(servers, COMMANDS, _encoded(commands), tick)


async def fill_topic(
    servers: str, topic: str, values: Iterable[PlacedValue], tick: Callable[[int], None]
) -> Counter[int]:
    """Append the values as ``fill`` does."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_batch_size=BATCH_MAX_BYTES)
    await producer.start()
    try:
        return await _fill(producer, topic, values, tick)
    finally:
        await producer.stop()


async def _fill(
    producer: AIOKafkaProducer, topic: str, values: Iterable[PlacedValue], tick: Callable[[int], None]
) -> Counter[int]:
    counts: Counter[int] = Counter()
    remaining = iter(values)
    while batch := list(islice(remaining, FILL_BATCH_RECORDS)):
        await _append(producer, topic, batch)
        counts.update(partition for partition, _, _ in batch)
        tick(counts.total())
    return counts


async def append_all(producer: AIOKafkaProducer, commands: Iterable[Placed]) -> None:
    """Append the commands in order, in as few batches as possible; returns when the broker has them."""
    await _append(producer, COMMANDS, _encoded(commands))


async def _append(producer: AIOKafkaProducer, topic: str, values: Iterable[PlacedValue]) -> None:
    builders: dict[int, Any] = {}
    pending = []
    for partition, key, value in values:
        builder = builders.get(partition) or builders.setdefault(partition, producer.create_batch())
        if builder.append(timestamp=None, key=key, value=value, headers=[]) is None:
            pending.append(await producer.send_batch(builder, topic, partition=partition))
            builder = builders[partition] = producer.create_batch()
            builder.append(timestamp=None, key=key, value=value, headers=[])
    for partition, builder in builders.items():
        pending.append(await producer.send_batch(builder, topic, partition=partition))
    for sent in pending:
        await sent


def _encoded(commands: Iterable[Placed]) -> Iterator[PlacedValue]:
    return ((partition, key, encode_command(command)) for partition, key, command in commands)


class RecordCounter:
    """Counts the records of a topic by its end offsets, which costs the broker little."""

    def __init__(self, servers: str, partitions: int, topic: str = OUTCOMES) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
        self._places = [TopicPartition(topic, number) for number in range(partitions)]

    def __call__(self) -> int:
        """How many there are now."""
        return sum(self._consumer.end_offsets(self._places).values())

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def counting(servers: str, partitions: int, topic: str = OUTCOMES) -> AbstractContextManager[RecordCounter]:
    """A ``RecordCounter`` as a context manager."""
    return closing(RecordCounter(servers, partitions, topic))
