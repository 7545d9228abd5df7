"""Appending records to a partition as produced batches: one request and one wait for many records."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from faust.types import AppT
from msgspec import Struct

Headers = Sequence[tuple[str, bytes | None]]
_NO_HEADERS: Final[list[tuple[str, bytes | None]]] = []


class Record(Struct, frozen=True):
    """A record to append: the bytes as they go to the topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Produced(NamedTuple):
    """The offsets of appended records, and the broker's timestamp of the last, or -1 where the topic has none.

    The range is longer than the records where another producer has appended in between.
    """

    offsets: range = range(0)
    timestamp_ms: int = -1


async def append_once(app: AppT, topic: str, partition: int, records: Iterable[Record]) -> Produced:
    """Append ``records`` in order; returns once all replicas have them, within half a minute.

    Raises aiokafka's KafkaError where they may not be stored; MessageSizeTooLargeError for a record that is too large
    for its topic, which none of ours is (connect/topics.py).
    """
    producer = await _producer(app)
    acknowledgements = []
    builder = producer.create_batch()
    for record in records:
        if not _add(builder, record):
            acknowledgements.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            _add(builder, record)  # a first record is added whatever its size
    if not builder.record_count():
        return Produced()
    builder.close()
    count = builder.record_count()
    acknowledgements.append(await producer.send_batch(builder, topic, partition=partition))
    stored = await asyncio.gather(*acknowledgements)
    return Produced(range(stored[0].offset, stored[-1].offset + count), stored[-1].timestamp)


def _add(builder: Any, record: Record) -> bool:
    headers = list(record.headers) if record.headers else _NO_HEADERS
    return builder.append(timestamp=None, key=record.key, value=record.value, headers=headers) is not None


async def _producer(app: AppT) -> AIOKafkaProducer:
    await app.producer.maybe_start()
    producer: AIOKafkaProducer = app.producer._ensure_producer()  # type: ignore[attr-defined]
    return producer
