"""Reading changelogs in bulk, ten times as fast as Faust, which reads record by record."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from connect.client_options import ClientOptions
from connect.records.connection import started
from connect.records.fetching import BadChecksum, SkippedOffsets, install, read_committed
from tables.errors import InvariantBroken

FETCH_MAX_BYTES = 4 << 20
POLL_MAX_RECORDS = 5_000
POLL_TIMEOUT_MS = 500
READ_TIMEOUT_S = 30.0
# A standby shares the process with decisions, which wait while it stores a poll: fewer records, in larger fetches.
STANDBY_POLL_MAX_RECORDS = 2_000
STANDBY_FETCH_MIN_BYTES = 256 << 10
PROGRESS_INTERVAL_S = 5.0

Rows = list[tuple[bytes, bytes]]
# Partition, rows in the log's order, and the next offset to read.
Changes = AsyncIterator[tuple[int, Rows, int]]
log = logging.getLogger(__name__)


class Progress:
    """Logs the progress of reading a topic."""

    def __init__(self, topic: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.topic = topic
        self.total = total
        self.count = 0
        self._clock = clock
        self._began = self._logged = clock()

    def read(self, count: int) -> None:
        """Count offsets that have been read; logged every few seconds."""
        self.count += count
        if self._clock() - self._logged >= PROGRESS_INTERVAL_S:
            self._logged = self._clock()
            share = 100 * self.count // max(1, self.total)
            log.info("%s: %d of %d read (%d %%)", self.topic, self.count, self.total, share)

    def end(self) -> None:
        """Log that all is read."""
        log.info("%s: all %d read in %.1f s", self.topic, self.count, self._clock() - self._began)


async def changes(kafka: ClientOptions, topic: str, begins: Mapping[int, int]) -> Changes:
    """The rows of a changelog's partitions, from the offsets ``begins`` to the present ends.

    Raises InvariantBroken where a partition ends before its begin, and KafkaError.
    """
    async with _reader(kafka) as consumer:
        places = {TopicPartition(topic, partition): begin for partition, begin in begins.items()}
        ends = await _seek(consumer, topic, places)
        async for place, rows, next_offset in _read(consumer, topic, places, ends):
            yield place.partition, rows, next_offset


async def follow(kafka: ClientOptions, topic: str, begins: Mapping[int, int]) -> Changes:
    """As ``changes``, and then what is appended, forever. Leaves at least half of the time to other tasks."""
    async with _reader(kafka, fetch_min_bytes=STANDBY_FETCH_MIN_BYTES) as consumer:
        await _seek(consumer, topic, {TopicPartition(topic, partition): begin for partition, begin in begins.items()})
        while True:
            found = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=STANDBY_POLL_MAX_RECORDS)
            for place, records in found.items():
                began = time.monotonic()
                last = records[-1]
                next_offset = (last.last if isinstance(last, SkippedOffsets) else last.offset) + 1
                yield place.partition, _rows(place, records), next_offset
                await asyncio.sleep(time.monotonic() - began)


def _reader(kafka: ClientOptions, **more: int) -> AbstractAsyncContextManager[Any]:
    install()
    return started(
        AIOKafkaConsumer(
            **kafka,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_MAX_BYTES,
            fetch_max_wait_ms=POLL_TIMEOUT_MS,
            **more,
        )
    )


async def _seek(consumer: Any, topic: str, places: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Seek to ``places``. Gives the ends of the log, uncommitted records included: the reading waits for these."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(places))
    read_committed(consumer)
    consumer.assign(list(places))
    for place, begin in places.items():
        if begin > ends[place]:
            raise InvariantBroken(
                f"{topic}[{place.partition}] ends at {ends[place]}, the local folder knows it up to {begin}: "
                "remove the folder, the changelog restores what there is"
            )
        consumer.seek(place, begin)
    return ends


async def _read(
    consumer: Any, topic: str, places: dict[TopicPartition, int], ends: dict[TopicPartition, int]
) -> AsyncIterator[tuple[TopicPartition, Rows, int]]:
    progress = Progress(topic, sum(ends[place] - begin for place, begin in places.items()))
    next_offsets, moved_s = dict(places), time.monotonic()
    while waiting := [place for place, end in ends.items() if next_offsets[place] < end]:
        batches = await consumer.getmany(*waiting, timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_MAX_RECORDS)
        for place in waiting:
            # The position also moves over offsets that compaction has removed.
            position = await consumer.position(place)
            rows = _rows(place, batches.get(place, ()))
            progress.read(position - next_offsets[place])
            if position > next_offsets[place]:
                next_offsets[place] = position
                yield place, rows, position
                moved_s = time.monotonic()
        check_still_read(topic, moved_s)
    progress.end()


def check_still_read(topic: str, moved_s: float) -> None:
    """Raise KafkaTimeoutError if nothing of a topic was read for READ_TIMEOUT_S, since ``moved_s`` (monotonic)."""
    if time.monotonic() - moved_s > READ_TIMEOUT_S:
        raise KafkaTimeoutError(f"nothing more of {topic} within {READ_TIMEOUT_S:g} s")


def _rows(place: TopicPartition, records: Iterable[Any]) -> Rows:
    return [(one.key, one.value) for one in records if _is_record(place, one) and one.key and one.value]


def _is_record(place: TopicPartition, found: Any) -> bool:
    """Whether it is a record. Raises InvariantBroken where a record of ours may be unreadable."""
    if not isinstance(found, SkippedOffsets):
        return True
    where = f"{place.topic}[{place.partition}]@{found.offset}-{found.last}"
    if isinstance(found.error, BadChecksum):
        raise InvariantBroken(f"{where} is damaged, so the table is incomplete: elect a replica with an intact log")
    if found.error is not None:
        # None of our writers makes such a batch, so the table lacks nothing.
        log.error("skipping unreadable records of another writer at %s: %r", where, found.error)
    return False
