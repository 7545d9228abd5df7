"""The agents' queue; batches: when they are committed, what a failing handler does. The stream is a fake of Faust's."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent

from streams.runtime import agents
from streams.runtime.agents import COUNTED_BYTES, InFlight, Interrupted, RecordQueue, in_batches, in_parallel
from streams.runtime.app import App
from streams.runtime.counters import Counters
from tables.errors import InvariantBroken


class Ended(Exception):
    """Stands for the end of the process."""


class FakeMessage:
    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.timestamp = 1_900_000_000.0
        self.acked = False


class FakeConsumer:
    def __init__(self, unacked: set[Any]) -> None:
        self.unacked = unacked
        self.gave_up = False
        self.commits = 0
        self.gaps: set[int] = set()

    def check_gaps(self, agent: str, messages: list[FakeMessage]) -> int | None:
        if messages[0].offset in self.gaps:
            raise InvariantBroken("gap")
        return next((number for number, message in enumerate(messages) if message.offset in self.gaps), None)

    def accepts(self, agent: str) -> bool:
        return not self.gave_up

    def give_up(self, agent: str) -> None:
        self.gave_up = True

    def complete(self, agent: str, messages: list[FakeMessage]) -> None:
        for message in messages:
            message.acked = True

    async def commit_completed(self) -> None:
        assert self.unacked, "a rebalance has to wait for it"
        self.commits += 1


class FakeStream:
    """A stream over a queue; it ends, as Faust's do, by StopAsyncIteration."""

    def __init__(self, unacked: set[Any], messages: list[FakeMessage]) -> None:
        self.should_stop = False
        self.app = SimpleNamespace(consumer=FakeConsumer(unacked), traces=None, counters=Counters())
        self.channel = SimpleNamespace(queue=self)
        self._messages = list(messages)

    async def maybe_start(self) -> None: ...

    async def get(self) -> FakeMessage:
        if not self._messages:
            raise StopAsyncIteration
        return self._messages.pop(0)

    def take(self, max_messages: int) -> list[FakeMessage]:
        taken = self._messages[:max_messages]
        del self._messages[:max_messages]
        return taken


@pytest.fixture
def messages() -> list[FakeMessage]:
    return [FakeMessage(offset) for offset in range(5)]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would end the process raises Ended instead."""

    def fail_stop(doing: str, error: BaseException) -> None:
        raise Ended(doing) from error

    monkeypatch.setattr(agents, "fail_stop", fail_stop)


def run(messages: list[FakeMessage], handle: Any, unacked: set[Any], in_flight: InFlight, max_records: int = 2) -> None:
    stream: Any = FakeStream(unacked, messages)
    asyncio.run(in_batches(stream, handle, in_flight=in_flight, max_records=max_records, name="test"))


def test_what_has_arrived_is_taken_at_once_and_acknowledged_after_the_body(messages: list[FakeMessage]) -> None:
    seen: list[list[int]] = []
    unacked: set[Any] = set()

    async def handle(batch: list[Any]) -> None:
        assert unacked == {batch[0]}
        assert not any(message.acked for message in batch)
        seen.append([message.offset for message in batch])

    run(messages, handle, unacked, InFlight())

    assert seen == [[0, 1], [2, 3], [4]]
    assert all(message.acked for message in messages)
    assert unacked == set()


def test_each_batch_is_committed_before_the_next_is_begun_if_the_agent_asks_for_it(messages: list[FakeMessage]) -> None:
    stream: Any = FakeStream(set(), messages)
    seen: list[tuple[int, int]] = []

    async def handle(batch: list[Any]) -> None:
        seen.append((batch[0].offset, stream.app.consumer.commits))

    asyncio.run(in_batches(stream, handle, in_flight=InFlight(), max_records=2, name="test", commit_each=True))

    assert seen == [(0, 0), (2, 1), (4, 2)]
    assert stream.app.consumer.commits == 3


@pytest.mark.usefixtures("ended")
def test_an_error_ends_the_process_before_anything_is_acknowledged(messages: list[FakeMessage]) -> None:
    async def handle(batch: list[Any]) -> None:
        raise ValueError("unexpected")

    with pytest.raises(Ended, match="agent test"):
        run(messages, handle, set(), InFlight())
    assert not any(message.acked for message in messages)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize(("gap", "handled"), [(2, [0]), (3, [0, 2])])
def test_a_gap_in_the_input_ends_the_process_once_all_before_it_is_committed(
    messages: list[FakeMessage], gap: int, handled: list[int]
) -> None:
    stream: Any = FakeStream(set(), messages)
    stream.app.consumer.gaps = {gap}
    seen = []

    async def handle(batch: list[Any]) -> None:
        seen.append(batch[0].offset)

    with pytest.raises(Ended, match="agent test"):
        asyncio.run(in_batches(stream, handle, in_flight=InFlight(), max_records=2, name="test"))
    assert seen == handled
    assert [message.acked for message in messages] == [number < gap for number in range(5)]
    assert stream.app.consumer.commits == (gap == 3)


def test_an_interrupted_batch_is_let_go_of_unacknowledged_and_those_after_it_untouched(
    messages: list[FakeMessage],
) -> None:
    unacked: set[Any] = set()
    seen = []

    async def handle(batch: list[Any]) -> None:
        seen.append(batch[0].offset)
        if batch[0].offset == 2:
            raise Interrupted

    run(messages, handle, unacked, InFlight())

    assert seen == [0, 2]
    assert [message.acked for message in messages] == [True, True, False, False, False]
    assert unacked == set()


def test_a_record_shared_by_two_agents_is_busy_until_both_let_go(messages: list[FakeMessage]) -> None:
    in_flight = InFlight()
    unacked: set[Any] = set()
    shared: list[Any] = [messages[0]]
    in_flight.acquire(unacked, shared)
    in_flight.acquire(unacked, shared)

    in_flight.release(unacked, shared)
    assert unacked == set(shared)
    in_flight.release(unacked, shared)
    assert unacked == set()


def test_where_one_partition_is_given_up_no_other_is_written_to_any_more() -> None:
    written: list[int] = []
    ended: list[int] = []
    released = asyncio.Event()

    async def write(partition: int, *, interrupted: bool) -> None:
        await asyncio.sleep(0)
        if interrupted:
            raise Interrupted
        try:
            await released.wait()
            written.append(partition)
        finally:
            await asyncio.sleep(0)
            ended.append(partition)

    async def run() -> None:
        with pytest.raises(Interrupted):
            await in_parallel(write(number, interrupted=number == 1) for number in range(3))
        assert ended == [0, 2]
        released.set()
        await asyncio.sleep(0)

    asyncio.run(run())
    assert written == []


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


class Sized(int):
    """A message of a number of bytes."""

    size_bytes = 0


def put(queue: Any, fetching: Fetching, *numbers: int, size_bytes: int = 0) -> None:
    messages = [Sized(number) for number in numbers]
    for message in messages:
        message.size_bytes = size_bytes
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


@pytest.mark.parametrize(("size_bytes", "stops_at"), [(COUNTED_BYTES, 8), (4 * COUNTED_BYTES, 2), (2**20, 1)])
def test_large_messages_fill_the_queue_sooner(size_bytes: int, stops_at: int) -> None:
    async def scenario(queue: Any, fetching: Fetching) -> None:
        for count in range(1, stops_at + 1):
            assert fetching.events == []
            put(queue, fetching, count, size_bytes=size_bytes)
        assert fetching.events == ["stop"]
        assert [await queue.get(), *queue.take(stops_at)] == [*range(1, stops_at + 1)]
        queue.take(1)
        assert (fetching.events, queue.qsize()) == (["stop", "resume"], 0)
        put(queue, fetching, 1, size_bytes=size_bytes)
        queue.clear()
        assert queue.qsize() == 0

    with_queue(scenario)


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
