"""The agents' queue: order, limits, waiting, and what Faust does to it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent

from streams.runtime.agent_records import RecordQueue
from streams.runtime.app import App


class Fetching:
    """The fetching of a partition, which the queue stops and resumes."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def stop(self) -> None:
        self.events.append("stop")

    def resume(self) -> None:
        self.events.append("resume")


def with_queue(scenario: Callable[[Any, Fetching], Awaitable[None]], limit: int = 10) -> Fetching:
    async def run() -> Fetching:
        fetching = Fetching()
        await scenario(RecordQueue(limit, flow_control=FlowControlEvent()), fetching)
        return fetching

    return asyncio.run(run())


def put(queue: Any, fetching: Fetching, *messages: Any) -> None:
    queue.put_all(messages, fetching.stop, fetching.resume)


def test_messages_leave_in_their_order_and_no_more_than_were_asked_for() -> None:
    async def scenario(queue: Any, fetching: Fetching) -> None:
        put(queue, fetching, 1, 2, 3)
        put(queue, fetching, 4)
        assert [await queue.get(), *queue.take(2)] == [1, 2, 3]
        assert (queue.take(5), queue.take(5)) == ([4], [])

    assert with_queue(scenario).events == []


def test_who_waits_for_a_message_gets_the_first_of_many() -> None:
    async def scenario(queue: Any, fetching: Fetching) -> None:
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        put(queue, fetching, 1, 2)
        assert await asyncio.wait_for(waiting, 5) == 1

    with_queue(scenario)


def test_the_fetching_stops_once_the_queue_is_full_and_goes_on_when_most_was_taken() -> None:
    async def scenario(queue: Any, fetching: Fetching) -> None:
        put(queue, fetching, *range(7))
        assert fetching.events == []
        put(queue, fetching, *range(5))  # more than the limit: what a poll brought is never left
        put(queue, fetching, 0)
        assert fetching.events == ["stop"]
        queue.take(8)
        queue.take(1)
        assert fetching.events == ["stop"]
        queue.take(4)
        assert queue.empty()
        queue.take(1)

    assert with_queue(scenario).events == ["stop", "resume"]


def test_an_end_that_comes_behind_messages_is_raised_by_the_next_wait() -> None:
    async def scenario(queue: Any, fetching: Fetching) -> None:
        put(queue, fetching, 1, 2)
        await queue.throw(StopAsyncIteration())
        assert queue.take(2) == [1, 2]
        with pytest.raises(StopAsyncIteration):
            await queue.get()

    with_queue(scenario)


def test_agents_get_such_a_queue_whose_rest_a_rebalance_drops(app: App) -> None:
    async def run() -> None:
        queue: Any = app.topic("commands").queue
        assert isinstance(queue, RecordQueue)
        fetching = Fetching()
        put(queue, fetching, 1, 2)
        app.flow_control.clear()
        app.flow_control.resume()
        assert queue.take(2) == []

    asyncio.run(run())
