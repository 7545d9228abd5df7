"""Batches: when they are committed, and what a failing handler does. The stream is a fake of Faust's."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.runtime import agents
from streams.runtime.agent_records import InFlight, Interrupted
from streams.runtime.agents import in_batches, in_parallel
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

    def check_gaps(self, agent: str, messages: list[FakeMessage]) -> None:
        if messages[0].offset in self.gaps:
            raise InvariantBroken("gap")

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
def test_a_gap_in_the_input_ends_the_process_before_the_batch_is_handled(messages: list[FakeMessage]) -> None:
    stream: Any = FakeStream(set(), messages)
    stream.app.consumer.gaps = {2}
    seen = []

    async def handle(batch: list[Any]) -> None:
        seen.append(batch[0].offset)

    with pytest.raises(Ended, match="agent test"):
        asyncio.run(in_batches(stream, handle, in_flight=InFlight(), max_records=2, name="test"))
    assert seen == [0]
    assert [message.acked for message in messages] == [True, True, False, False, False]


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
    released = asyncio.Event()

    async def write(partition: int, *, interrupted: bool) -> None:
        await asyncio.sleep(0)
        if interrupted:
            raise Interrupted
        await released.wait()
        written.append(partition)

    async def run() -> None:
        with pytest.raises(Interrupted):
            await in_parallel(write(number, interrupted=number == 1) for number in range(3))
        released.set()
        await asyncio.sleep(0)

    asyncio.run(run())
    assert written == []
