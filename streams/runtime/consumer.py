"""Faust's consumer, handing records over by the batch: a poll's records of a partition go to their queue in one go.

Faust 0.15.3 makes four tasks for each record, so that a rebalance can interrupt its delivery. Here nothing waits while
the records of a partition are handed over, so nothing has to be interrupted; the flow is checked between partitions.

Faust also keeps lists of single records that are acknowledged, forgets the committed offset before the last commit of
a partition that it gives up, and does not go back where nothing was ever committed: what was polled is lost then.
Here an agent's batches follow each other from where the reading began, so that one number says how far it is.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.events import Event
from faust.transport.consumer import CONSUMER_FETCHING, ensure_TP
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, Message

from connect.records.fetching import READ_COMMITTED, SkippedOffsets, install
from streams.runtime.skips import Skips

POLL_S = 1.0
# aiokafka asks a broker for one thing at a time, and not for partitions of which it still holds records. So what it
# asks for a while later, of the others, keeps the busy partition waiting for as long as the broker has nothing to give.
FETCH_WAIT_MS = 100


class PromptThread(AIOKafkaConsumerThread):
    """Faust's thread that fetches: committed records only, each that can't be read by itself.

    Where there is nothing the broker says so soon, and not after 1.5 s.
    """

    def _create_worker_consumer(self, transport: Any) -> Any:
        install()
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = READ_COMMITTED
        return consumer

    def highwater(self, tp: TP) -> Any:
        """Up to where the partition can be read: its last stable offset, or None before the first fetch."""
        return self._ensure_consumer().last_stable_offset(tp)


class BatchConsumer(Consumer):
    """A consumer that delivers whole batches, and commits what all agents of a partition are through with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pressure: dict[TP, tuple[Callable[[], None], Callable[[], None]]] = {}
        self._begins: dict[TP, int] = {}
        self._due: dict[TP, int] = {}
        self._done: dict[TP, dict[str, int]] = {}
        self._gave_up: set[str] = set()
        self._skips = Skips()

    def _new_consumer_thread(self) -> PromptThread:
        return PromptThread(self, loop=self.loop, beacon=self.beacon)

    def begins(self, tp: TP) -> int | None:
        """The offset from which the partition is read since it was last sought; None where it is not read."""
        return self._begins.get(tp)

    def committed(self, tp: TP) -> int | None:
        """The offset that was committed last, or found to be when the partition was sought; None where none was."""
        offset: int | None = self._committed_offset.get(tp)
        return offset

    def behind(self, tp: TP, offset: int) -> int:
        """The offset that can come next where ``offset`` is due: behind what the fetcher knows to be no record."""
        return self._skips.behind(tp, offset)

    def takes(self, agent: str) -> bool:
        """Whether an agent may go on: not after a batch that it gave up, until that is read again."""
        return agent not in self._gave_up

    def give_up(self, agent: str) -> None:
        """An agent is not through with a batch, and will not be: nothing after it may count."""
        self._gave_up.add(agent)

    def done(self, agent: str, messages: Iterable[Message]) -> None:
        """An agent is through with its next messages. What it was given in an earlier generation no longer counts."""
        last = {message.tp: message for message in messages}
        for tp, message in last.items():
            if tp in self._begins and message.generation_id == self.app.consumer_generation_id:
                done = self._done.setdefault(tp, {})
                done[agent] = max(done.get(agent, 0), message.offset + 1)

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, and to the beginning where nothing was committed."""
        committed = {ensure_TP(tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        inputs = {tp: offset for tp, offset in committed.items() if not self._is_changelog_tp(tp)}
        untouched = [tp for tp, offset in inputs.items() if not offset]
        begins = await self.earliest_offsets(*untouched) if untouched else {}
        if begins:
            await self.seek_wait(begins)
        self._begins = {tp: offset or begins[tp] for tp, offset in inputs.items()}
        self._due = dict(self._begins)
        self._gave_up.clear()
        self._committed_offset.update(committed)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Wait for the agents, commit what they have done, then read no more."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._begins.pop(tp, None)
            self._done.pop(tp, None)
            self._skips.forget(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self._begins if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        """Up to where all agents of a partition are through with it; None where they have not begun."""
        begin = self._begins.get(tp)
        if begin is None:
            return None
        done = self._done.get(tp, {})
        app: Any = self.app
        through = min(done.values()) if done and len(done) == len(app.topics._tp_index[tp]) else begin
        self._skips.drop_below(tp, through)
        behind = self._skips.behind(tp, through)
        return behind if behind > begin else None

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                self.diag.set_flag(CONSUMER_FETCHING)
                records, active = await self._wait_next_records(POLL_S)
                generation = self.app.consumer_generation_id
                await self.sleep(0)  # an empty poll must not starve the loop
                if records and not self.should_stop:
                    await self._deliver(records, active, generation)
                self.diag.unset_flag(CONSUMER_FETCHING)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except Exception:
            self.log.exception("records could not be handed over")
            raise
        finally:
            self.diag.unset_flag(CONSUMER_FETCHING)

    async def _deliver(self, records: Mapping[TP, list[Any]], active: set[TP] | None, generation: int) -> None:
        """Hand over what a poll brought, unless a rebalance has begun: then it is read again."""
        if not self.flow_active:
            with suppress(AssertionError, IllegalStateError):  # given up by now: what comes next is sought then
                await self.perform_seek()
            return
        app: Any = self.app
        for (topic, partition), batch in records.items():
            tp = TP(topic, partition)
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            if not await self._may_flow():
                return
            due = self._due.get(tp, 0)
            if batch and batch[0].offset < due:  # the broker has sent the fetcher back, or the poll is an old one
                await app.went_back(tp, due)
            found = await self._readable(tp, batch)
            if found is None or self.app.consumer_generation_id != generation:
                return
            self._put(tp, found)
            await asyncio.sleep(0)

    async def _readable(self, tp: TP, batch: list[Any]) -> list[Any] | None:
        """The records of a batch, once dead letters of the others are stored; None where a rebalance has begun."""
        skips = [each for each in batch if each.__class__ is SkippedOffsets]
        if not skips:
            return batch
        if not await self._isolate(tp, [skip for skip in skips if skip.error is not None]):
            return None
        for skip in skips:
            self._skips.add(tp, skip.offset, skip.last)
        return [each for each in batch if each.__class__ is not SkippedOffsets]

    async def _isolate(self, tp: TP, unreadable: Sequence[SkippedOffsets]) -> bool:
        app: Any = self.app
        return not unreadable or await app.isolate(tp, unreadable)

    async def _may_flow(self) -> bool:
        """Wait for the agents' flow. False once the consumer's own is suspended, as a rebalance does."""
        flow: Any = self.app.flow_control
        if not flow.is_active():
            await self.wait_first(flow.acquire(), self.suspend_flow.wait())
        return bool(flow.is_active()) and self.flow_active

    def _put(self, tp: TP, batch: list[Any]) -> None:
        app: Any = self.app
        app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        channels = list(app.topics._tp_index.get(tp, ()))
        high, drop = self._pressure_of(tp)
        due = self._due.get(tp, 0)
        for record in batch:
            if record.offset < due:
                continue
            message = self._to_message(tp, record)
            event: Any = Event(app, message.key, message.value, None, message)
            for channel in channels:
                channel.queue.put_nowait_enhanced(event, on_pressure_high=high, on_pressure_drop=drop)
            due = record.offset + 1
        self._due[tp] = due

    def _pressure_of(self, tp: TP) -> tuple[Callable[[], None], Callable[[], None]]:
        """What stops fetching a partition whose queue grows too long, and what starts it again."""
        if tp not in self._pressure:
            self._pressure[tp] = (lambda: self.on_buffer_full(tp), lambda: self.on_buffer_drop(tp))
        return self._pressure[tp]


class BatchTransport(Transport):
    """Faust's transport over aiokafka with that consumer."""

    Consumer = BatchConsumer
