"""Agents: a topic, a name, and a function that handles the topic's records in batches.

A batch has all records that have arrived; nothing waits for more. Once the handler returns it may be committed, which
happens every second, or at once for an agent that asks for it. A handler that raises ends the process. One that raises
Interrupted, for a rebalance or the worker's end, leaves its batch and all later ones uncommitted: they are read again
from the committed offset.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from faust.types import StreamT, TopicT

from streams.runtime.agent_records import InFlight, Interrupted, RecordQueue
from streams.runtime.app import App
from streams.runtime.failstop import fail_stop
from streams.runtime.kafka_types import Message
from streams.runtime.record_context import Spans, set_batch

T = TypeVar("T")
Handle = Callable[[list[Message]], Awaitable[None]]


def add_agent(
    app: App, topic: str, handle: Handle, *, name: str, batch_max_records: int, commit_each: bool = False
) -> None:
    """Register an agent that gives ``handle`` the records of ``topic``, in order, a batch at a time.

    With ``commit_each`` a batch is committed before the next is begun: a killed worker then repeats no more than one.
    """

    async def consume(stream: StreamT[bytes]) -> None:
        await in_batches(
            stream,
            handle,
            in_flight=app.in_flight,
            max_records=batch_max_records,
            name=name,
            commit_each=commit_each,
        )

    app.agent(_raw_topic(app, topic), name=name, concurrency=1)(consume)


def _raw_topic(app: App, name: str) -> TopicT:
    """A topic whose keys and values stay bytes, so that the agent itself sees what can't be decoded."""
    app.counters.add_topic(name)
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )


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
        try:
            consumer.check_gaps(name, messages)
            await handle(messages)
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
