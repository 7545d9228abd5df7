"""Agents: a function handles the records of a topic in batches.

A batch has all records that have arrived; nothing waits for more. Once the handler returns it may be committed, which
happens every second, or at once for an agent that asks for it. A handler that raises ends the process. One that raises
Interrupted, for a rebalance or the worker's end, leaves its batch and all later ones uncommitted: they are read again
from the committed offset.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable
from typing import Any, TypeVar

from faust.types import StreamT
from mode.utils.queues import ThrowableQueue

from streams.runtime.failstop import fail_stop
from streams.runtime.kafka_types import Message
from streams.runtime.record_context import Spans, set_batch

T = TypeVar("T")
Handle = Callable[[list[Message]], Awaitable[None]]
# Most records are smaller.
COUNTED_BYTES = 4_096


class RecordQueue(ThrowableQueue[Message]):
    """A queue of messages, filled and emptied by many at once: Faust's makes an event and ten calls for each.

    Its limit only asks for a pause, so that nothing waits while records are put in. Large records count several times.
    """

    _size_bytes = 0

    def qsize(self) -> int:
        """The number of messages, or of COUNTED_BYTES if that is more."""
        return max(len(self._queue), self._size_bytes // COUNTED_BYTES)  # type: ignore[attr-defined]

    def clear(self) -> None:
        """Drop all messages."""
        super().clear()
        self._size_bytes = 0

    def put_all(
        self, messages: Collection[Message], on_pressure_high: Callable[[], None], on_pressure_drop: Callable[[], None]
    ) -> None:
        """Add messages; ``on_pressure_high`` is called if they fill the queue, the other when it has room."""
        self._queue.extend(messages)  # type: ignore[attr-defined]
        self._size_bytes += sum([message.size_bytes for message in messages])
        if self.in_pressure_high_state(on_pressure_drop):
            on_pressure_high()
        self._wakeup_next(self._getters)  # type: ignore[attr-defined]

    def take(self, max_messages: int) -> list[Message]:
        """The next messages; none if the queue is empty."""
        self.maybe_endorse_pressure_drop()
        queue = self._queue  # type: ignore[attr-defined]
        taken = [queue.popleft() for _ in range(min(max_messages, len(queue)))]
        self._size_bytes -= sum([message.size_bytes for message in taken])
        return taken

    def _get(self) -> Message:
        message: Message = self._queue.popleft()  # type: ignore[attr-defined]
        self._size_bytes -= message.size_bytes
        return message


class Interrupted(Exception):
    """The partitions are about to be revoked before a batch could be finished."""


class InFlight:
    """The records that agents are handling; Faust waits for them before it gives partitions up.

    Agents that share a topic share its records: a record is released when its last agent finishes, whether that
    completed it or gave it up. (Faust alone would wait forever for a record that one agent has acknowledged and that
    was then cleared from the queue of another.)
    """

    def __init__(self) -> None:
        self._agents: Counter[Message] = Counter()

    def has(self, topic: str) -> bool:
        """Whether an agent is handling records of this topic."""
        return any(message.topic == topic for message in self._agents)

    def acquire(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent starts a batch; its first message stands for all."""
        self._agents[messages[0]] += 1
        unacked.add(messages[0])

    def release(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent has finished a batch, or given it up."""
        first = messages[0]
        self._agents[first] -= 1
        if self._agents[first] <= 0:
            del self._agents[first]
            unacked.discard(first)


def by_partition(messages: list[Message]) -> dict[int, list[Message]]:
    """The records of a batch by their partition, each in the order of the batch."""
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(message.partition, []).append(message)
    return found


async def in_parallel(batches: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all. Where one raises, the others are cancelled and have ended before the error goes on."""
    tasks = [asyncio.create_task(batch) for batch in batches]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def in_batches(
    stream: StreamT[Any],
    handle: Handle,
    *,
    in_flight: InFlight,
    max_records: int,
    name: str,
    commit_each: bool = False,
) -> None:
    """Call ``handle`` with batches of at most ``max_records`` until the stream ends."""
    app: Any = stream.app
    consumer = app.consumer
    unacked = consumer.unacked
    traces = stream.app.traces  # type: ignore[attr-defined]
    async for messages in _batches(stream, max_records):
        if not consumer.accepts(name):
            continue
        began = time.monotonic()
        in_flight.acquire(unacked, messages)
        set_batch(name, messages)
        spans = Spans.begin(traces, name, messages)
        rest = messages
        try:
            while rest:
                whole = rest[: consumer.check_gaps(name, rest)]
                await handle(whole)
                if rest := rest[len(whole) :]:  # A repair of the gap begins at the committed offset.
                    consumer.complete(name, whole)
                    await consumer.commit_completed()
        except Interrupted:
            consumer.give_up(name)
            in_flight.release(unacked, messages)
            continue
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing may be committed)
            fail_stop(f"agent {name}", error)
        consumer.complete(name, messages)
        if commit_each:
            await consumer.commit_completed()
        in_flight.release(unacked, messages)
        if spans is not None:
            spans.end()
        app.counters.count_batch(name, messages, time.monotonic() - began)


async def _batches(stream: StreamT[Any], max_records: int) -> AsyncIterator[list[Message]]:
    await stream.maybe_start()
    queue: RecordQueue = stream.channel.queue  # type: ignore[attr-defined]
    while not stream.should_stop:
        try:
            batch = [await queue.get()]
        except StopAsyncIteration:  # Faust's way of ending a stream
            return
        batch += queue.take(max_records - 1)
        yield batch
