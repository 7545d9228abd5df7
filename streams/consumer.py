"""Faust's consumer, handing records over by the batch: a poll's records of a partition go to their queue in one go.

Faust 0.15.3 makes four tasks for each record, so that a rebalance can interrupt its delivery. Here nothing waits while
the records of a partition are handed over, so nothing has to be interrupted; the flow is checked between partitions.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from faust.events import Event
from faust.transport.consumer import CONSUMER_FETCHING
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, Message
from faust.types.tuples import ack_lock

POLL_S = 1.0


class BatchConsumer(Consumer):
    """A consumer that delivers and acknowledges whole batches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pressure: dict[TP, tuple[Callable[[], None], Callable[[], None]]] = {}

    def ack_all(self, messages: Iterable[Message]) -> None:
        """Acknowledge messages that one agent is through with; the last agent of each makes it count."""
        with ack_lock:
            for message in messages:
                message.refcount -= 1
                if message.acked or message.refcount > 0:
                    continue
                message.acked = True
                tp, offset = message.tp, message.offset
                committed = self._committed_offset[tp]
                if (committed is None or offset >= committed) and offset not in self._acked_index[tp]:
                    self._acked_index[tp].add(offset)
                    self._acked[tp].append(offset)

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
            await self.perform_seek()
            return
        for (topic, partition), batch in records.items():
            tp = TP(topic, partition)
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            await self._note_gaps(tp, batch)
            if not await self._may_flow() or self.app.consumer_generation_id != generation:
                return
            self._put(tp, batch)
            await asyncio.sleep(0)

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
        seen = self._read_offset[tp]
        for record in batch:
            if seen is not None and record.offset < seen:
                continue
            message = self._to_message(tp, record)
            message.refcount = len(channels)
            event: Any = Event(app, message.key, message.value, None, message)
            for channel in channels:
                channel.queue.put_nowait_enhanced(event, on_pressure_high=high, on_pressure_drop=drop)
            seen = record.offset
        self._read_offset[tp] = seen

    async def _note_gaps(self, tp: TP, batch: list[Any]) -> None:
        """Tell the commit of offsets that compaction has taken, or it would wait for them."""
        if not self.app.topics.acks_enabled_for(tp.topic):
            return
        due = self._read_offset[tp]
        for record in batch:
            if due and record.offset - due > 1:
                await self._add_gap(tp, due + 1, record.offset)
            due = max(record.offset, due or 0)

    def _pressure_of(self, tp: TP) -> tuple[Callable[[], None], Callable[[], None]]:
        """What stops fetching a partition whose queue grows too long, and what starts it again."""
        if tp not in self._pressure:
            self._pressure[tp] = (lambda: self.on_buffer_full(tp), lambda: self.on_buffer_drop(tp))
        return self._pressure[tp]


class BatchTransport(Transport):
    """Faust's transport over aiokafka with that consumer."""

    Consumer = BatchConsumer
