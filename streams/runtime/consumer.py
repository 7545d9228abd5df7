"""Faust's consumer with delivery by the batch: a poll's records of a partition go to the agents' queues at once.

Faust 0.15.3 makes four tasks for each record, so that a rebalance can interrupt its delivery. Here the delivery of a
partition's records never waits, so there is nothing to interrupt.

Faust also lists each acknowledged record, forgets the committed offset before the last commit of a revoked partition,
and does not seek where nothing was ever committed, which loses what was polled. Here an agent's batches are contiguous
from the start offset, so that one number is its progress.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.transport.consumer import CONSUMER_FETCHING, ensure_TP
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from connect.records.fetching import READ_COMMITTED, SkippedOffsets, install
from connect.topics import COMPACTED_TOPICS
from streams.runtime.kafka_types import Message
from streams.runtime.skips import SkippedRanges
from tables.errors import InvariantBroken

POLL_S = 1.0
# aiokafka sends a broker one fetch at a time, without the partitions whose records it still holds. So a fetch for the
# other partitions keeps the busy one waiting until the broker answers.
FETCH_WAIT_MS = 100
# While records come quickly, they are gathered into fuller fetches: the next fetch is sent so much later for each
# record of the last poll, up to a limit, both the role's. It is sent at once where that is less than GATHER_MIN_MS, or
# as many as GATHER_RECORDS came, a backlog. The broker has no fetch to look at meanwhile, as it would for each batch
# that is appended.
GATHER_MIN_MS = 10
GATHER_RECORDS = 1_000


class FetchThread(AIOKafkaConsumerThread):
    """Faust's fetching thread: committed records only, unreadable ones isolated.

    An empty fetch returns after FETCH_WAIT_MS, not after Faust's 1.5 s.
    """

    _gather_s = 0.0

    def _create_worker_consumer(self, transport: Any) -> Any:
        install()
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = READ_COMMITTED
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, with the role's backoff (streams/runtime/app.py) instead of aiokafka's."""
        await super().on_start()
        app: Any = self.app
        fetcher: Any = self._ensure_consumer()._fetcher
        fetcher._prefetch_backoff = app.fetching.backoff_s
        fetcher._proc_fetch_request = partial(self._fetch, fetcher._proc_fetch_request)

    def gather(self, wait_ms: int) -> None:
        """Send each fetch so much later from now on."""
        self._gather_s = wait_ms / 1000

    async def _fetch(self, fetch: Callable[..., Awaitable[bool]], *request: Any) -> bool:
        """Fetch, later where records are gathered. False if cancelled: a stopping consumer awaits its fetches.

        aiokafka's own raises CancelledError where it pauses after an error, and so would the end of the worker.
        """
        try:
            if self._gather_s:
                await asyncio.sleep(self._gather_s)
            return await fetch(*request)
        except asyncio.CancelledError:
            return False

    def highwater(self, tp: TP) -> Any:
        """The partition's last stable offset, or None before the first fetch."""
        return self._ensure_consumer().last_stable_offset(tp)


class BatchConsumer(Consumer):
    """Delivers whole batches, and commits what all agents of a partition have completed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pressure: dict[tuple[TP, Any], tuple[Callable[[], None], Callable[[], None]]] = {}
        self._full: defaultdict[TP, set[Any]] = defaultdict(set)
        self._starts: dict[TP, int] = {}
        self._next: dict[TP, int] = {}
        self._completed: dict[TP, dict[str, int]] = {}
        self._gave_up: set[str] = set()
        self._skips = SkippedRanges()

    def _new_consumer_thread(self) -> FetchThread:
        self._fetch_thread = FetchThread(self, loop=self.loop, beacon=self.beacon)
        return self._fetch_thread

    def start_offset(self, tp: TP) -> int | None:
        """The offset of the partition's last seek; None where it is not read."""
        return self._starts.get(tp)

    def committed(self, tp: TP) -> int | None:
        """The last committed offset, or None where there is none."""
        offset: int | None = self._committed_offset.get(tp)
        return offset

    def inputs(self) -> list[TP]:
        """The input partitions that are read."""
        assigned = self.assignment()
        return [tp for tp in self._starts if tp in assigned]

    def next_offset(self, tp: TP) -> int | None:
        """The next offset that an agent has to handle; None where the partition is not read."""
        reached = self._reached(tp)
        return None if reached is None else self._skips.next_readable(tp, reached)

    def next_readable(self, tp: TP, offset: int) -> int:
        """The first offset from ``offset`` on at which a record may be."""
        return self._skips.next_readable(tp, offset)

    def accepts(self, agent: str) -> bool:
        """Whether an agent may handle batches: not after one that it gave up, until that is read again."""
        return agent not in self._gave_up

    def give_up(self, agent: str) -> None:
        """An agent has given a batch up: no later one may be committed."""
        self._gave_up.add(agent)

    def check_gaps(self, agent: str, messages: list[Message]) -> int | None:
        """Check that each message is the next of its partition for the agent, or a repeated one.

        Of a topic that may lose no record: how many come before a gap, None where there is none; raises InvariantBroken
        where the first message has one. Of any other the loss is logged and counted. Without compaction offsets are
        contiguous, but for those that the fetcher knows to hold no record: markers of transactions, aborted records,
        unreadable ones that became dead letters. Any other gap is a lost record.
        """
        if messages[0].topic in COMPACTED_TOPICS:
            return None
        due: dict[int, int] = {}
        for number, message in enumerate(messages):
            if due.get(message.partition) != message.offset:  # nearly all records follow the one before
                try:
                    self._check_gap(agent, message, due.get(message.partition))
                except InvariantBroken:
                    if not number:
                        raise
                    return number
            due[message.partition] = message.offset + 1
        return None

    def _check_gap(self, agent: str, message: Message, due: int | None) -> None:
        tp = message.tp
        if due is None and (start := self._starts.get(tp)) is not None:
            due = max(start, self._completed.get(tp, {}).get(agent, start))
        if due is None:
            return  # revoked by now: it will not count
        due = self._skips.next_readable(tp, due)
        if message.offset > due:
            app: Any = self.app
            gap = f"{tp.topic}[{tp.partition}]: offset {due} was due, {message.offset} came"
            if tp.topic in app.guarded:
                raise InvariantBroken(gap)
            self.log.critical("records are lost, continuing behind them: %s", gap)
            app.counters.lost[tp.topic] += message.offset - due

    def complete(self, agent: str, messages: Iterable[Message]) -> None:
        """An agent has handled its next messages, all of one topic. Those of an earlier generation no longer count."""
        last = {message.partition: message for message in messages}
        for message in last.values():
            tp = message.tp
            if tp in self._starts and message.generation_id == self.app.consumer_generation_id:
                completed = self._completed.setdefault(tp, {})
                completed[agent] = max(completed.get(agent, 0), message.offset + 1)

    async def commit_completed(self) -> None:
        """Commit what agents have completed; left to the rebalance or the worker's end if that has begun."""
        if self.flow_active and not self.app.should_stop and not await self.commit():
            await self.commit()  # a commit that was already running may lack this batch

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, and to the beginning where nothing is committed.

        Raises IllegalStateError where partitions were assigned meanwhile: these are not what was sought.
        """
        generation = self.app.consumer_generation_id
        committed = {ensure_TP(tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        inputs = {tp: offset for tp, offset in committed.items() if not self._is_changelog_tp(tp)}
        uncommitted = [tp for tp, offset in inputs.items() if not offset]
        begins = await self.earliest_offsets(*uncommitted) if uncommitted else {}
        if begins:
            await self.seek_wait(begins)
        if self.app.consumer_generation_id != generation:
            raise IllegalStateError("a rebalance has ended meanwhile")
        self._starts = {tp: offset or begins[tp] for tp, offset in inputs.items()}
        self._next = dict(self._starts)
        self._gave_up.clear()
        self._committed_offset.update(committed)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Wait for the agents, commit what they have completed, then stop reading.

        A worker without partitions, whose flow Faust leaves on, could lose records of those that it gets.
        """
        self.stop_flow()
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._starts.pop(tp, None)
            self._completed.pop(tp, None)
            self._skips.forget(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return iter(self._starts)

    def _new_offset(self, tp: TP) -> int | None:
        """The offset that all agents of a partition have reached; None where they are at the start."""
        reached = self._reached(tp)
        if reached is None:
            return None
        self._skips.drop_below(tp, reached)
        offset = self._skips.next_readable(tp, reached)
        return offset if offset > self._starts[tp] else None

    def _reached(self, tp: TP) -> int | None:
        start = self._starts.get(tp)
        completed = self._completed.get(tp, {})
        app: Any = self.app
        is_begun = completed and len(completed) == len(app.topics._tp_index[tp])
        return min(completed.values()) if start is not None and is_begun else start

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                self.diag.set_flag(CONSUMER_FETCHING)
                records, active = await self._wait_next_records(POLL_S)
                generation = self.app.consumer_generation_id
                await self.sleep(0)  # an empty poll must not starve the loop
                if not self.should_stop:
                    self._gather(sum(map(len, (records or {}).values())))
                if records and not self.should_stop:
                    await self._deliver(records, active, generation)
                self.diag.unset_flag(CONSUMER_FETCHING)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except Exception:
            self.log.exception("records could not be delivered")
            raise
        finally:
            self.diag.unset_flag(CONSUMER_FETCHING)

    def _gather(self, count: int) -> None:
        """Let the next fetch gather the longer, the more records a poll has brought."""
        app: Any = self.app
        wait_ms = min(app.fetching.gather_max_ms, app.fetching.gather_each_ms * count)
        if app.fetching.gather_max_ms:
            self._fetch_thread.gather(wait_ms if wait_ms >= GATHER_MIN_MS and count < GATHER_RECORDS else 0)

    async def _deliver(self, records: Mapping[TP, list[Any]], active: set[TP] | None, generation: int) -> None:
        """Deliver what a poll brought, unless a rebalance has begun: then it is read again."""
        if not self.flow_active:
            with suppress(AssertionError, IllegalStateError):  # revoked by now: the next assignment seeks
                await self.perform_seek()
            return
        app: Any = self.app
        for (topic, partition), batch in records.items():
            tp = TP(topic, partition)
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            next_offset = self._next.get(tp, 0)
            if batch and batch[0].offset < next_offset:  # the broker has reset the fetcher, or the poll is an old one
                await app.on_rewind(tp, next_offset)
            found = await self._readable(tp, batch)
            if found is None or self._is_interrupted(generation):
                return
            self._put(tp, found)

    def _is_interrupted(self, generation: int) -> bool:
        """Whether a rebalance has begun, or partitions were assigned since that generation."""
        return not self.flow_active or self.app.consumer_generation_id != generation

    async def _readable(self, tp: TP, batch: list[Any]) -> list[Any] | None:
        """The records of a batch, once dead letters for unreadable ones are stored; None where a rebalance began."""
        skips = [each for each in batch if each.__class__ is SkippedOffsets]
        if not skips:
            return batch
        if not await self._isolate(tp, [skip for skip in skips if skip.error is not None]):
            return None
        due = self._next.get(tp, 0)
        for each in batch:
            last = each.offset
            if each.__class__ is SkippedOffsets:
                last = each.last
                # What compaction took before it is no record either.
                self._skips.add(tp, min(due, each.offset) if tp.topic in COMPACTED_TOPICS else each.offset, last)
            due = max(due, last + 1)
        return [each for each in batch if each.__class__ is not SkippedOffsets]

    async def _isolate(self, tp: TP, unreadable: Sequence[SkippedOffsets]) -> bool:
        app: Any = self.app
        return not unreadable or await app.isolate(tp, unreadable)

    def _put(self, tp: TP, batch: list[Any]) -> None:
        app: Any = self.app
        app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        channels = list(app.topics._tp_index.get(tp, ()))
        next_offset = self._next.get(tp, 0)
        generation = self.app.consumer_generation_id
        messages = [
            Message(
                tp.topic,
                tp.partition,
                record.offset,
                record.timestamp / 1000,
                record.headers,
                record.key,
                record.value,
                tp,
                generation,
                _size_bytes(record),
            )
            for record in batch
            if record.offset >= next_offset
        ]
        if messages:
            for channel in channels:
                channel.queue.put_all(messages, *self._pressure_of(tp, channel.queue))
            self._next[tp] = messages[-1].offset + 1

    def _pressure_of(self, tp: TP, queue: Any) -> tuple[Callable[[], None], Callable[[], None]]:
        """The callbacks by which a queue that is too long pauses fetching a partition, and resumes it."""
        if (tp, queue) not in self._pressure:
            self._pressure[tp, queue] = partial(self._pause, tp, queue), partial(self._resume, tp, queue)
        return self._pressure[tp, queue]

    def _pause(self, tp: TP, queue: Any) -> None:
        self._full[tp].add(queue)
        self.on_buffer_full(tp)

    def _resume(self, tp: TP, queue: Any) -> None:
        """Not while another agent's queue is full: that has asked for its pause already."""
        self._full[tp].discard(queue)
        if not self._full[tp]:
            self.on_buffer_drop(tp)


def _size_bytes(record: Any) -> int:
    size = len(record.key or b"") + len(record.value or b"")
    return size + sum([len(name) + len(value or b"") for name, value in record.headers]) if record.headers else size


class BatchTransport(Transport):
    """Faust's transport over aiokafka, with BatchConsumer."""

    Consumer = BatchConsumer
