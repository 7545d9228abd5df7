"""Lost logs are noticed: before a worker reads a partition, and once a minute for what it decides.

What is wrong with a log tables/ledger/continuity.py says. A topic of which no record may be lost ends the process; for
every other the loss is told, and the worker goes on with what there is (docs/operations.md, "InputLost").
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, KafkaTimeoutError, UnsupportedCodecError
from faust.types import TP

from connect.topics import ACCEPTED_PREFIX, ACCOUNT_ROWS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, OUTCOMES
from streams.runtime.app import App
from streams.runtime.assignment import is_recovered
from streams.runtime.failstop import fail_stop
from tables.errors import TurnstileError
from tables.ledger.continuity import Cause, LogBounds, Loss, ReaderPosition, find_loss
from tables.ledger.watermark import Watermark, digest_of

LOOK_EVERY_S: Final = 60.0
READ_WITHIN_S: Final = 30.0
POLL_MS: Final = 500
# Records whose repetition changes nothing. A repeated job would be a second mail to somebody, so of jobs only the
# newest are read again.
REPEATABLE: Final = frozenset({EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS, OUTCOMES, DELIVERIES})
READ_AGAIN_S: Final = 3_600.0

log = logging.getLogger(__name__)


class LogLost(TurnstileError):
    """A log of which nothing may be lost lacks records, or is not the one that was read."""


class Continuity:
    """Compares the places of this worker's readers with their logs."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.before_seek.append(self.check)
        app.went_back = self.went_back
        app.task(self._watch)

    async def check(self) -> None:
        """Look at every input before it is read. Raises LogLost; where the worker goes on, its offset is committed."""
        consumer: Any = self.app.consumer
        losses = await self._losses([tp for tp in consumer.assignment() if not consumer._is_changelog_tp(tp)])
        self._stop_at({tp: loss for tp, loss in losses.items() if tp.topic in self.app.guarded})
        for tp, loss in losses.items():
            begin = await self._begin_again(tp, loss)
            log.critical("%s[%d]: %s; going on at offset %d", tp.topic, tp.partition, loss, begin)
            self.app.figures.lost[tp.topic] += loss.last - loss.first + 1
            await consumer._thread.commit({tp: begin})

    async def look(self) -> None:
        """Look at what is being decided. Raises LogLost."""
        app = self.app
        if is_recovered(app):
            self._stop_at(await self._losses([tp for tp in app.consumer.assignment() if tp.topic in app.guarded]))

    async def went_back(self, tp: TP, due: int) -> None:
        """A fetch began before ``due``. Ends the process where the log was cut; the next one begins where it may."""
        try:
            async with reading_all(self.app.settings.kafka_servers) as reader:
                end = (await logs_of(reader, [tp]))[tp].end
            self._stop_at({tp: Loss(Cause.CUT, end, due - 1)} if end < due else await self._losses([tp]))
        except (LogLost, KafkaError) as error:
            fail_stop("reading", error)

    def _stop_at(self, losses: Mapping[TP, Loss]) -> None:
        if losses:
            told = "; ".join(f"{tp.topic}[{tp.partition}]: {loss}" for tp, loss in losses.items())
            raise LogLost(f"{told}. docs/operations.md tells under InputLost what to do")

    async def _losses(self, inputs: list[TP]) -> dict[TP, Loss]:
        """What is wrong with each of these partitions, where anything is."""
        if not inputs:
            return {}
        marks = {tp: mark for tp in inputs if (mark := self._watermark(tp)) is not None}
        places = await self._places(inputs)
        async with reading_all(self.app.settings.kafka_servers) as reader:
            logs = await logs_of(reader, inputs)
            there = {tp: mark.offset for tp, mark in marks.items() if logs[tp].begin <= mark.offset < logs[tp].end}
            found = await digests_at(reader, there)
        losses = {tp: find_loss(logs[tp], places[tp], marks.get(tp), found.get(tp)) for tp in inputs}
        return {tp: loss for tp, loss in losses.items() if loss is not None}

    def _watermark(self, tp: TP) -> Watermark | None:
        watermark = self.app.guarded.get(tp.topic)
        return None if watermark is None else watermark(tp.partition)

    async def _places(self, inputs: list[TP]) -> dict[TP, ReaderPosition]:
        thread: Any = self.app.consumer._thread  # type: ignore[attr-defined]
        coordinator = thread._ensure_consumer()._coordinator
        committed = await thread.call_thread(coordinator.fetch_committed_offsets, inputs)
        return {
            tp: ReaderPosition(committed[tp].offset, committed[tp].metadata.startswith(ACCEPTED_PREFIX))
            if tp in committed
            else ReaderPosition()
            for tp in inputs
        }

    async def _begin_again(self, tp: TP, loss: Loss) -> int:
        """Where a reader that has lost records goes on."""
        if loss.cause is Cause.EXPIRED:
            return loss.last + 1
        if tp.topic in REPEATABLE:
            return int((await self.app.consumer.earliest_offsets(tp))[tp])
        thread: Any = self.app.consumer._thread  # type: ignore[attr-defined]
        since = int((time.time() - READ_AGAIN_S) * 1000)
        found = await thread.call_thread(thread._ensure_consumer().offsets_for_times, {tp: since})
        return int(found[tp].offset) if found[tp] is not None else loss.first

    async def _watch(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await asyncio.wait_for(self.look(), LOOK_EVERY_S)
            except (KafkaError, TimeoutError):
                continue
            except Exception as error:  # noqa: BLE001 (what is not known to be whole must not be decided on)
                fail_stop("the look at the log", error)


@asynccontextmanager
async def reading_all(servers: str) -> AsyncIterator[Any]:
    """A consumer that reads a log to its very end.

    The worker's own reads committed records only: to it the log ends where an open transaction began, and what it has
    read before may lie behind that.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, isolation_level="read_uncommitted")
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def logs_of(reader: Any, partitions: Iterable[TP]) -> dict[TP, LogBounds]:
    """The two ends of each partition. Raises KafkaError when Kafka does not tell them in time."""
    places = {tp: TopicPartition(*tp) for tp in partitions}
    begins, ends = await reader.beginning_offsets(places.values()), await reader.end_offsets(places.values())
    return {tp: LogBounds(begins[place], ends[place]) for tp, place in places.items()}


async def digests_at(reader: Any, offsets: Mapping[TP, int]) -> dict[TP, bytes | None]:
    """The digests of the records at ``offsets``; None where what lies there can't be read, or is no record.

    Raises KafkaError when Kafka does not give them in time.
    """
    if not offsets:
        return {}
    places = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
    reader.assign(list(places))
    for place, offset in places.items():
        reader.seek(place, offset)
    found = await _first_digests(reader, places)
    return {tp: found[TopicPartition(*tp)] for tp in offsets}


async def _first_digests(consumer: Any, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes | None]:
    digests: dict[TopicPartition, bytes | None] = {}
    deadline = time.monotonic() + READ_WITHIN_S
    while missing := [tp for tp in offsets if tp not in digests]:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"{', '.join(f'{tp.topic}[{tp.partition}]' for tp in missing)} can't be read")
        for tp in missing:
            try:
                records = (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp, ())
            except (CorruptRecordException, UnsupportedCodecError, UnicodeDecodeError) as error:
                log.warning("%s[%d]@%d can't be read, so it is not compared: %r", *tp, offsets[tp], error)
                digests[tp] = None
            else:
                if records:
                    digests[tp] = _digest(records, offsets[tp])
    return digests


def _digest(records: Iterable[Any], offset: int) -> bytes | None:
    for one in records:
        if isinstance(one, ConsumerRecord) and one.offset == offset:
            return digest_of(one.key, one.value, one.timestamp)
    return None
