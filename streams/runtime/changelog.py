"""Reading a changelog in bulk, past Faust's own way of a record at a time, which takes ten times as long."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from connect.records.fetching import BadChecksum, SkippedOffsets, install, read_committed
from tables.errors import InvariantBroken

FETCHED_BYTES = 4 << 20
AT_ONCE = 5_000
# Beside the decisions, which wait as long as so many records are taken over; fetched less often, more at once.
BESIDE = 2_000
FEWEST_BYTES = 256 << 10
WAIT_MS = 500
TOLD_EVERY_S = 5.0

Rows = list[tuple[bytes, bytes]]
log = logging.getLogger(__name__)


class Progress:
    """Says in the log how far a reading is."""

    def __init__(self, topic: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.topic = topic
        self.total = total
        self.count = 0
        self._clock = clock
        self._began = self._told = clock()

    def read(self, count: int) -> None:
        """So many offsets more lie behind; told every few seconds."""
        self.count += count
        if self._clock() - self._told >= TOLD_EVERY_S:
            self._told = self._clock()
            share = 100 * self.count // max(1, self.total)
            log.info("%s: %d of %d read (%d %%)", self.topic, self.count, self.total, share)

    def end(self) -> None:
        """All is read."""
        log.info("%s: all %d read in %.1f s", self.topic, self.count, self._clock() - self._began)


async def changes(servers: str, topic: str, begins: Mapping[int, int]) -> AsyncIterator[tuple[int, Rows, int]]:
    """What stands in a changelog's partitions from ``begins`` to the ends that they have now.

    Gives partition, keys with values in the order of the log, if there are any, and the offset that comes next. Raises
    InvariantBroken where a partition ends before it is to begin.
    """
    async with _reader(servers) as consumer:
        places = {TopicPartition(topic, partition): begin for partition, begin in begins.items()}
        ends = await _seek(consumer, topic, places)
        async for place, rows, due in _read(consumer, topic, places, ends):
            yield place.partition, rows, due


async def follow(servers: str, topic: str, begins: Mapping[int, int]) -> AsyncIterator[tuple[int, Rows, int]]:
    """What ``changes`` gives, and then what is appended, for ever. At least half of the time is left to others."""
    async with _reader(servers, fetch_min_bytes=FEWEST_BYTES) as consumer:
        await _seek(consumer, topic, {TopicPartition(topic, partition): begin for partition, begin in begins.items()})
        while True:
            for place, records in (await consumer.getmany(timeout_ms=WAIT_MS, max_records=BESIDE)).items():
                began = time.monotonic()
                last = records[-1]
                due = (last.last if isinstance(last, SkippedOffsets) else last.offset) + 1
                yield place.partition, _rows(place, records), due
                await asyncio.sleep(time.monotonic() - began)


@asynccontextmanager
async def _reader(servers: str, **more: int) -> AsyncIterator[Any]:
    install()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCHED_BYTES,
        fetch_max_wait_ms=WAIT_MS,
        **more,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _seek(consumer: Any, topic: str, places: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Begin at ``places``; where the partitions end now, what is not committed yet included: it is waited for."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(places))
    read_committed(consumer)
    consumer.assign(list(places))
    for place, begin in places.items():
        if begin > ends[place]:
            raise InvariantBroken(
                f"{topic}[{place.partition}] ends at {ends[place]}, the local folder knows it up to {begin}: "
                "remove the folder, the changelog brings back what there is"
            )
        consumer.seek(place, begin)
    return ends


async def _read(
    consumer: Any, topic: str, places: dict[TopicPartition, int], ends: dict[TopicPartition, int]
) -> AsyncIterator[tuple[TopicPartition, Rows, int]]:
    progress = Progress(topic, sum(ends[place] - begin for place, begin in places.items()))
    due = dict(places)
    while waiting := [place for place, end in ends.items() if due[place] < end]:
        batches = await consumer.getmany(*waiting, timeout_ms=WAIT_MS, max_records=AT_ONCE)
        for place in waiting:
            # A compaction may have left nothing before the position.
            position = await consumer.position(place)
            rows = _rows(place, batches.get(place, ()))
            progress.read(position - due[place])
            moved, due[place] = position > due[place], position
            if rows or moved:
                yield place, rows, position
    progress.end()


def _rows(place: TopicPartition, records: Iterable[Any]) -> Rows:
    return [(one.key, one.value) for one in records if _is_record(place, one) and one.key and one.value]


def _is_record(place: TopicPartition, found: Any) -> bool:
    """Whether it is a record. Raises InvariantBroken where there may have been one of ours that can't be read."""
    if not isinstance(found, SkippedOffsets):
        return True
    where = f"{place.topic}[{place.partition}]@{found.offset}-{found.last}"
    if isinstance(found.error, BadChecksum):
        raise InvariantBroken(f"{where} is damaged, so the table is not whole: let a replica lead that has it whole")
    if found.error is not None:
        # None of our writers makes such a batch, so the table lacks nothing.
        log.error("passing over what somebody else wrote to %s: %r", where, found.error)
    return False
