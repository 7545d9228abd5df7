"""Detecting lost logs: before a worker reads its partitions, and once a minute for the topics that it decides.

tables/ledger/continuity.py says what is wrong with a log. For a topic that may lose no record the process ends; for any
other the loss is logged and counted, and the worker goes on with what is left (docs/operations.md, "InputLost").
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, KafkaTimeoutError, UnsupportedCodecError
from faust.types import TP

from connect.client_options import ClientOptions, client_options
from connect.records.connection import started
from connect.records.fetching import SkippedOffsets
from connect.topics import ACCEPTED_PREFIX, ACCOUNT_ROWS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, OUTCOMES
from streams.runtime.app import App
from streams.runtime.assignment import is_recovered
from streams.runtime.failstop import fail_stop
from tables.errors import TurnstileError
from tables.ledger.continuity import Cause, LogBounds, Loss, ReaderPosition, find_loss
from tables.ledger.records import Watermark, digest_of

CHECK_INTERVAL_S: Final = 60.0
READ_TIMEOUT_S: Final = 30.0
POLL_TIMEOUT_MS: Final = 500
# Topics whose records may be handled twice. A repeated job would be a second mail to somebody, so only the newest jobs
# are read again.
REPEATABLE: Final = frozenset({EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS, OUTCOMES, DELIVERIES})
REREAD_S: Final = 3_600.0

log = logging.getLogger(__name__)


class LogLost(TurnstileError):
    """A log that may lose no record has lost some, or is another log."""


class Continuity:
    """Compares the committed offsets and watermarks of this worker with the logs."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.before_seek.append(self.check)
        app.on_rewind = self.on_rewind
        app.task(self._run)

    async def check(self) -> None:
        """Check every input before it is read, and commit a new offset where records are lost. Raises LogLost."""
        consumer: Any = self.app.consumer
        losses = await self._losses([tp for tp in consumer.assignment() if not consumer._is_changelog_tp(tp)])
        self._raise_for({tp: loss for tp, loss in losses.items() if tp.topic in self.app.guarded})
        for tp, loss in losses.items():
            offset = await self._next_offset(tp, loss)
            is_lost = loss.cause is not Cause.PASSED
            level = logging.CRITICAL if is_lost else logging.WARNING
            log.log(level, "%s[%d]: %s; continuing at offset %d", tp.topic, tp.partition, loss, offset)
            if is_lost:
                self.app.counters.lost[tp.topic] += loss.last - loss.first + 1
            await consumer._thread.commit({tp: offset})

    async def check_guarded(self) -> None:
        """Check the guarded topics while they are read. Raises LogLost."""
        app = self.app
        if is_recovered(app):
            self._raise_for(await self._losses([tp for tp in app.consumer.assignment() if tp.topic in app.guarded]))

    async def on_rewind(self, tp: TP, next_offset: int) -> None:
        """A fetch began before ``next_offset``. Ends the process where the log was truncated."""
        try:
            async with reading_uncommitted(client_options(self.app.settings)) as reader:
                end = (await log_ends(reader, [tp]))[tp].end
            is_cut = end < next_offset
            self._raise_for({tp: Loss(Cause.CUT, end, next_offset - 1)} if is_cut else await self._losses([tp]))
        except (LogLost, KafkaError) as error:
            fail_stop("reading", error)

    def _raise_for(self, found: Mapping[TP, Loss]) -> None:
        # What was passed over is read again; it is found only before the reading, since it moves meanwhile.
        losses = {tp: loss for tp, loss in found.items() if loss.cause is not Cause.PASSED}
        if losses:
            described = "; ".join(f"{tp.topic}[{tp.partition}]: {loss}" for tp, loss in losses.items())
            raise LogLost(f"{described}. See InputLost in docs/operations.md")

    async def _losses(self, inputs: list[TP]) -> dict[TP, Loss]:
        """The losses of these partitions; those without are left out."""
        if not inputs:
            return {}
        marks = {tp: mark for tp in inputs if (mark := self._watermark(tp)) is not None}
        places = await self._committed(inputs)
        async with reading_uncommitted(client_options(self.app.settings)) as reader:
            logs = await log_ends(reader, inputs)
            there = {tp: mark.offset for tp, mark in marks.items() if logs[tp].begin <= mark.offset < logs[tp].end}
            digests = await digests_at(reader, there)
        losses = {tp: find_loss(logs[tp], places[tp], marks.get(tp), digests.get(tp)) for tp in inputs}
        return {tp: loss for tp, loss in losses.items() if loss is not None}

    def _watermark(self, tp: TP) -> Watermark | None:
        watermark = self.app.guarded.get(tp.topic)
        return None if watermark is None else watermark(tp.partition)

    async def _committed(self, inputs: list[TP]) -> dict[TP, ReaderPosition]:
        thread: Any = self.app.consumer._thread  # type: ignore[attr-defined]
        coordinator = thread._ensure_consumer()._coordinator
        committed = await thread.call_thread(coordinator.fetch_committed_offsets, inputs)
        return {
            tp: ReaderPosition(committed[tp].offset, committed[tp].metadata.startswith(ACCEPTED_PREFIX))
            if tp in committed
            else ReaderPosition()
            for tp in inputs
        }

    async def _next_offset(self, tp: TP, loss: Loss) -> int:
        """The offset at which a reader that has lost records continues."""
        if loss.cause is Cause.EXPIRED:
            return loss.last + 1
        if loss.cause is Cause.PASSED:
            return loss.first
        if tp.topic in REPEATABLE:
            return int((await self.app.consumer.earliest_offsets(tp))[tp])
        thread: Any = self.app.consumer._thread  # type: ignore[attr-defined]
        since_ms = int((time.time() - REREAD_S) * 1000)
        found = await thread.call_thread(thread._ensure_consumer().offsets_for_times, {tp: since_ms})
        return int(found[tp].offset) if found[tp] is not None else loss.first

    async def _run(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(CHECK_INTERVAL_S)
            try:
                async with asyncio.timeout(CHECK_INTERVAL_S):
                    await self.check_guarded()
            except (KafkaError, TimeoutError):
                continue
            except Exception as error:  # noqa: BLE001 (nothing may be decided on a log that may be incomplete)
                fail_stop("the check of the log", error)


def reading_uncommitted(kafka: ClientOptions) -> AbstractAsyncContextManager[Any]:
    """A consumer that reads a log to its very end.

    The worker's own consumer reads committed records: for it the log ends where an open transaction began, and what
    was read before may lie behind that.
    """
    return started(AIOKafkaConsumer(**kafka, enable_auto_commit=False, isolation_level="read_uncommitted"))


async def log_ends(reader: Any, partitions: Iterable[TP]) -> dict[TP, LogBounds]:
    """The begin and end of each partition's log. Raises KafkaError, also where Kafka doesn't answer in time."""
    places = {tp: TopicPartition(*tp) for tp in partitions}
    begins, ends = await reader.beginning_offsets(places.values()), await reader.end_offsets(places.values())
    return {tp: LogBounds(begins[place], ends[place]) for tp, place in places.items()}


async def digests_at(
    reader: Any, offsets: Mapping[TP, int], timeout_s: float = READ_TIMEOUT_S
) -> dict[TP, bytes | None]:
    """The digests of the records at ``offsets``; None where there is no record, or none that can be read.

    Raises KafkaError, also where Kafka doesn't answer in time.
    """
    if not offsets:
        return {}
    places = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
    reader.assign(list(places))
    for place, offset in places.items():
        reader.seek(place, offset)
    found = await _first_digests(reader, places, timeout_s)
    return {tp: found[TopicPartition(*tp)] for tp in offsets}


async def _first_digests(
    consumer: Any, offsets: Mapping[TopicPartition, int], timeout_s: float
) -> dict[TopicPartition, bytes | None]:
    digests: dict[TopicPartition, bytes | None] = {}
    deadline = time.monotonic() + timeout_s
    while missing := [tp for tp in offsets if tp not in digests]:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"{', '.join(f'{tp.topic}[{tp.partition}]' for tp in missing)} can't be read")
        for tp in missing:
            try:
                records = (await consumer.getmany(tp, timeout_ms=POLL_TIMEOUT_MS)).get(tp, ())
            except (CorruptRecordException, UnsupportedCodecError, UnicodeDecodeError) as error:
                log.warning("%s[%d]@%d can't be read, so it is not compared: %r", *tp, offsets[tp], error)
                digests[tp] = None
            else:
                if records:
                    digests[tp] = _digest(records, offsets[tp])
    return digests


def _digest(records: Iterable[Any], offset: int) -> bytes | None:
    for one in records:
        if not isinstance(one, SkippedOffsets) and one.offset == offset:
            return digest_of(one.key, one.value, one.timestamp)
    return None
