"""Batches for agents: all that has arrived, without waiting for more, acknowledged after the body has run.

A body that raises ends the process. A body that gives up for a rebalance or the worker's end
(Interrupted) leaves its batch unacknowledged, and all after it untouched: they are read again from the
committed offset.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from faust.types import EventT, Message, StreamT

from streams.runtime.failstop import fail_stop
from streams.runtime.record_context import take_up
from streams.runtime.tracing import Spans

Handle = Callable[[list[Message]], Awaitable[None]]


class Interrupted(Exception):
    """The partitions are about to be given up while a batch can't be finished."""


class Busy:
    """The records that some agent is at work on; Faust waits for them before it gives partitions up.

    Agents that share a topic share its records: one is free when the last of them has let go, whether
    it acknowledged it or not. (Faust alone would wait for ever for a record that one agent has
    acknowledged and that was then cleared from the queue of another.)
    """

    def __init__(self) -> None:
        self._agents: Counter[Message] = Counter()

    def take(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent begins with ``messages``; the first stands for all of them."""
        self._agents[messages[0]] += 1
        unacked.add(messages[0])

    def free(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent is through with ``messages``, or has given them up."""
        first = messages[0]
        self._agents[first] -= 1
        if self._agents[first] <= 0:
            del self._agents[first]
            unacked.discard(first)


async def in_batches(stream: StreamT[Any], handle: Handle, *, busy: Busy, most: int, name: str) -> None:
    """Hand ``handle`` the records of ``stream`` in batches of at most ``most``, for ever."""
    app: Any = stream.app
    consumer = app.consumer
    unacked = consumer.unacked
    traces = stream.app.traces  # type: ignore[attr-defined]
    async for batch in _batches(stream, most):
        if not consumer.takes(name):
            continue
        messages = [event.message for event in batch]
        began = time.monotonic()
        busy.take(unacked, messages)
        take_up(name, messages)
        spans = Spans.begin(traces, name, messages)
        try:
            await handle(messages)
        except Interrupted:
            consumer.give_up(name)
            busy.free(unacked, messages)
            continue
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing may be acknowledged)
            fail_stop(f"agent {name}", error)
        consumer.done(name, messages)
        busy.free(unacked, messages)
        if spans is not None:
            spans.end()
        app.figures.batch(name, messages, time.monotonic() - began)


async def _batches(stream: StreamT[Any], most: int) -> AsyncIterator[list[EventT[Any]]]:
    await stream.maybe_start()
    queue = stream.channel.queue  # type: ignore[attr-defined]
    while not stream.should_stop:
        try:
            batch = [await queue.get()]
        except StopAsyncIteration:  # how Faust tells a stream to end
            return
        while len(batch) < most and not queue.empty():
            batch.append(queue.get_nowait())
        yield batch
