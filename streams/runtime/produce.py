"""Appending records to a partition as whole produced batches: one request and one wait for many records."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from faust.types import AppT

Headers = Sequence[tuple[str, bytes | None]]


class Record(NamedTuple):
    """A record to append: the bytes as they go to the topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Place(NamedTuple):
    """Where some records were put: their offsets, and the broker's time of the last (ms) if the topic keeps that.

    The offsets are more than the records where somebody else appended in between.
    """

    offsets: range = range(0)
    at: int = -1


async def try_append(app: AppT, topic: str, partition: int, records: Iterable[Record]) -> Place:
    """Append ``records`` in order and wait until the brokers have them, for half a minute at most.

    Raises aiokafka's KafkaError when it is not known that they are stored: MessageSizeTooLargeError for a record that
    is larger than its topic takes, which none of ours is (connect/topics.py).
    """
    producer = await _producer(app)
    acknowledgements = []
    builder = producer.create_batch()
    for record in records:
        if not _add(builder, record):
            acknowledgements.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            _add(builder, record)  # the first one goes in, whatever its size
    if not builder.record_count():
        return Place()
    builder.close()
    count = builder.record_count()
    acknowledgements.append(await producer.send_batch(builder, topic, partition=partition))
    stored = await asyncio.gather(*acknowledgements)
    return Place(range(stored[0].offset, stored[-1].offset + count), stored[-1].timestamp)


def _add(builder: Any, record: Record) -> bool:
    done = builder.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return done is not None


async def _producer(app: AppT) -> AIOKafkaProducer:
    await app.producer.maybe_start()
    producer: AIOKafkaProducer = app.producer._ensure_producer()  # type: ignore[attr-defined]
    return producer
