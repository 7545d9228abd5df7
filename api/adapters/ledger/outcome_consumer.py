"""The consumer of ``ticket-purchase``: all outcomes from now on, of all partitions, for all who read them here."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connect.client_options import ClientOptions
from connect.records.connection import disconnect
from connect.records.fetching import READ_COMMITTED, SkippedOffsets, install
from connect.records.unread import count_unreadable
from connect.topics import OUTCOMES
from telemetry.rate_limited import RateLimitedLog

POLL_MS: Final = 500
QUIET_CHECK_AFTER_S: Final = 2.0
QUIET_CHECK_TIMEOUT_S: Final = 1.0
CONNECT_S: Final = 5.0
LOST_AFTER_S: Final = 5.0
RETRY_S: Final = 0.5

log = logging.getLogger(__name__)
limited_log = RateLimitedLog(log)

Ends = dict[TopicPartition, int]
# Reads a record's key and value. Raises if it is no outcome.
Reader = Callable[[bytes | None, bytes | None], None]


class OutcomeFanout:
    """Calls ``readers`` in their order: first the caches, which an answer must not precede, then the requests."""

    def __init__(self, *readers: Reader) -> None:
        self._readers = readers

    def __call__(self, key: bytes | None, value: bytes | None) -> None:
        """Hand one record to all readers, also if one of them fails. Raises what the first of these raised."""
        errors = []
        for read in self._readers:
            try:
                read(key, value)
            except Exception as error:  # noqa: BLE001 (raised below)
                errors.append(error)
        if errors:
            raise errors[0]


class OutcomeConsumer:
    """Reads without a group: each API process reads everything. After an error it resumes at its positions.

    ``read`` gets each record. ``connect`` makes the aiokafka consumer.
    """

    def __init__(
        self,
        kafka: ClientOptions,
        read: Reader,
        connect: Callable[[ClientOptions], Any] | None = None,
        *,
        retry_s: float = RETRY_S,
        quiet_check_after_s: float = QUIET_CHECK_AFTER_S,
        lost_after_s: float = LOST_AFTER_S,
    ) -> None:
        self._retry_s = retry_s
        self._quiet_check_after_s = quiet_check_after_s
        self._lost_after_s = lost_after_s
        self._kafka = kafka
        self._read = read
        self._connect = connect or make_consumer
        self._positions: Ends = {}
        # The end offsets at the last check of a quiet topic.
        self._due: Ends = {}
        self._seen_at = float("-inf")
        self._following: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to consume."""
        self._following = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop consuming."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    @property
    def is_following(self) -> bool:
        """Whether all partitions are assigned and the broker answered in the last 5 s."""
        return time.monotonic() - self._seen_at < self._lost_after_s

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception:  # noqa: BLE001 (whatever it is, it is retried)
                limited_log.warning("lost", "lost %s; retrying", OUTCOMES, exc_info=True)
                await asyncio.sleep(self._retry_s)

    async def _follow(self) -> None:
        consumer = self._connect(self._kafka)
        try:
            async with asyncio.timeout(CONNECT_S):
                await consumer.start()
            await self._assign(consumer)
            while True:
                for partition, batch in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    self._read_all(partition, batch)
                await self._check_quiet(consumer)
        finally:
            await disconnect(consumer)

    async def _assign(self, consumer: Any) -> None:
        partitions = sorted(consumer.assignment())
        if not partitions:
            raise KafkaError(f"the topic {OUTCOMES} does not exist yet")
        async with asyncio.timeout(CONNECT_S):
            ends = await consumer.end_offsets(partitions)
        # A subscription would be reassigned, and begin at the ends, if partitions were added.
        consumer.unsubscribe()
        consumer.assign(partitions)
        # The first end is a position too, so that records since then are read after an error.
        # A log that ends before the position was truncated: resume at its new end. One that is gone has no position.
        self._positions = {place: min(self._positions.get(place, end), end) for place, end in ends.items()}
        for partition, position in self._positions.items():
            consumer.seek(partition, position)
        self._due = {}
        self._seen_at = time.monotonic()

    def _read_all(self, partition: TopicPartition, batch: list[Any]) -> None:
        for record in batch:
            if isinstance(record, SkippedOffsets):
                if record.error is not None:
                    count_unreadable(OUTCOMES, partition.partition, record.offset, record.last, record.error)
                continue
            try:
                self._read(record.key, record.value)
            except Exception as error:  # noqa: BLE001 (read again, it would keep all later ones from being read)
                place = f"{record.topic}[{record.partition}]@{record.offset}"
                log.warning("not an outcome: %r", error, extra={"record": place})
        last = batch[-1]
        self._positions[partition] = (last.last if isinstance(last, SkippedOffsets) else last.offset) + 1
        self._seen_at = time.monotonic()

    async def _check_quiet(self, consumer: Any) -> None:
        """Ask for end offsets: a poll can't tell a quiet topic from a dead broker. Raises KafkaError if polls hang."""
        if time.monotonic() - self._seen_at < self._quiet_check_after_s:
            return
        behind = [each for each, due in self._due.items() if self._positions[each] < due]
        if behind:
            raise KafkaError(f"{behind} are behind and nothing arrives")
        try:
            async with asyncio.timeout(QUIET_CHECK_TIMEOUT_S):
                self._due = await consumer.end_offsets(list(self._positions))
        except (KafkaError, TimeoutError) as error:
            limited_log.warning("quiet", "the broker does not answer: %r", error)
        else:
            self._seen_at = time.monotonic()


def make_consumer(kafka: ClientOptions) -> Any:
    """A consumer without a group that reads committed records and reconnects fast to a restarted broker."""
    install()
    return AIOKafkaConsumer(
        OUTCOMES,
        **kafka,
        client_id="turnstile-api",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level=READ_COMMITTED,
        request_timeout_ms=5_000,
        retry_backoff_ms=100,
    )
