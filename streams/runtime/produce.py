"""Appending records to a partition as produced batches: one request and one wait for many records.

What fails because brokers are unavailable is retried. A record that no retry can help goes to the dead-letter topic of
its consumer, ``dlq.<consumer>``, as it came.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer, errors
from faust.types import AppT

from connect.partitioning import partition_of
from connect.topics import dead_letters as dead_letter_topic
from streams.runtime.agents import in_parallel
from streams.runtime.app import App
from streams.runtime.failures import with_retries
from streams.runtime.kafka_types import Record
from streams.runtime.record_context import shown_key
from tables.messages.dead_letters import DeadLetterInfo, decode_info

# The errors that show that too few brokers are available, or that we lack a right or room for now (a topic's
# max.message.bytes was lowered): a worker that ended then would repeat at each start what comes before, such as sending
# a mail. A topic may be unknown to a broker whose metadata are old; that all topics exist was checked at the start
# (streams/runtime/provisioning.py).
BROKERS_UNAVAILABLE: Final[tuple[type[Exception], ...]] = (
    errors.KafkaConnectionError,
    errors.KafkaStorageError,
    errors.KafkaTimeoutError,
    errors.LeaderNotAvailableError,
    errors.MessageSizeTooLargeError,
    errors.NodeNotReadyError,
    errors.NotEnoughReplicasAfterAppendError,
    errors.NotEnoughReplicasError,
    errors.NotLeaderForPartitionError,
    errors.RecordListTooLargeError,
    errors.RequestTimedOutError,
    errors.StaleMetadata,
    errors.TopicAuthorizationFailedError,
    errors.UnknownTopicOrPartitionError,
)
_NO_HEADERS: Final[list[tuple[str, bytes | None]]] = []
# Further dead letters of a batch are logged as their number.
LOGGED_MAX: Final = 10

log = logging.getLogger(__name__)


class Produced(NamedTuple):
    """The offsets of appended records, and the broker's timestamp of the last, or -1 where the topic has none.

    The range is longer than the records where another producer has appended in between.
    """

    offsets: range = range(0)
    timestamp_ms: int = -1


async def append_once(app: AppT, topic: str, partition: int, records: Iterable[Record]) -> Produced:
    """Append ``records`` in order; returns once all replicas have them, within half a minute.

    Raises aiokafka's KafkaError where they may not be stored; MessageSizeTooLargeError for a record that is too large
    for its topic, which none of ours is as the topics are made (connect/topics.py).
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


async def append(app: App, topic: str, partition: int, records: Iterable[Record]) -> Produced:
    """Append ``records`` in order; returns once all replicas have them, however long brokers are unavailable.

    What a failed attempt has stored is then there twice. Raises as ``append_once`` and ``with_retries`` do.
    """
    rows = list(records)
    if not rows:
        return Produced()
    return await with_retries(
        app,
        lambda: append_once(app, topic, partition, rows),
        doing=f"appending to {topic}",
        transient=BROKERS_UNAVAILABLE,
    )


async def append_keyed(app: App, topic: str, records: Iterable[Record]) -> None:
    """Append records, each to the partition of its key, all partitions at once. Raises as ``append`` does."""
    homes: dict[int, list[Record]] = {}
    for record in records:
        assert record.key is not None, "a record without a key"
        homes.setdefault(partition_of(record.key, app.settings.partitions), []).append(record)
    await in_parallel(append(app, topic, partition, group) for partition, group in homes.items())


async def send_to_dead_letters(app: App, consumer: str, dead_letters: list[Record]) -> None:
    """Append to the consumer's dead-letter topic; returns once they are stored. Raises as ``append`` does."""
    by_partition: dict[int, list[tuple[Record, DeadLetterInfo]]] = {}
    for record in dead_letters:
        ours = _ours(record)
        by_partition.setdefault(ours.origin.partition % app.settings.partitions, []).append((record, ours))
    for partition, group in by_partition.items():
        await append(app, dead_letter_topic(consumer), partition, [record for record, _ in group])
        for record, ours in group[:LOGGED_MAX]:
            _log(consumer, record, ours)
        if len(group) > LOGGED_MAX:
            log.error("%d more dead letters of %s", len(group) - LOGGED_MAX, consumer)


def _add(builder: Any, record: Record) -> bool:
    headers = list(record.headers) if record.headers else _NO_HEADERS
    return builder.append(timestamp=None, key=record.key, value=record.value, headers=headers) is not None


async def _producer(app: AppT) -> AIOKafkaProducer:
    await app.producer.maybe_start()
    producer: AIOKafkaProducer = app.producer._ensure_producer()  # type: ignore[attr-defined]
    return producer


def _ours(record: Record) -> DeadLetterInfo:
    found = decode_info(record.headers)
    assert found is not None, "not a dead letter"
    return found[0]


def _log(consumer: str, record: Record, ours: DeadLetterInfo) -> None:
    """One line with the error's class alone: its text may quote personal data. The dead letter has it."""
    fields = {"record": str(ours.origin), "key": shown_key(record.key), "reason": ours.error.partition(":")[0]}
    log.error("a dead letter of %s", consumer, extra=fields)
