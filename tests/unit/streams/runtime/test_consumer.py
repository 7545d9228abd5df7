"""What the consumer delivers and commits; queues and application are fakes, without Kafka."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from mode.utils.queues import FlowControlEvent

from connect.records.fetching import READ_COMMITTED, SkippedOffsets
from connect.topics import EVENT_ROWS
from streams.runtime.agents import RecordQueue
from streams.runtime.app import App, Fetching
from streams.runtime.consumer import FETCH_WAIT_MS, GATHER_RECORDS, BatchConsumer
from streams.runtime.counters import Counters
from streams.runtime.skips import SkippedRanges
from tables.errors import InvariantBroken

COMMANDS = TP("commands", 0)
OTHER = TP("commands", 1)
CHANGELOG = TP("changelog", 0)
FIRST = 2


class FakeQueue:
    def __init__(self) -> None:
        self.offsets: list[int] = []

    def put_all(self, messages: list[Any], on_pressure_high: Any, on_pressure_drop: Any) -> None:
        self.offsets += [message.offset for message in messages]
        self.size_bytes = sum(message.size_bytes for message in messages)


class Bench(BatchConsumer):
    """A consumer that was never started, with just what handing over needs. It reads all from ``begin`` on."""

    def __init__(self, queues: list[FakeQueue], begin: int = 1) -> None:
        self.back: list[tuple[TP, int]] = []
        self.stored: dict[TP, Any] = {}
        self.positions: dict[TP, int] = {}
        channels = [SimpleNamespace(queue=queue) for queue in queues]
        app: Any = SimpleNamespace(
            consumer_generation_id=7,
            on_rewind=self.on_rewind,
            monitor=SimpleNamespace(track_tp_end_offset=lambda tp, end: None),
            tables=SimpleNamespace(changelog_topics={CHANGELOG.topic}),
            topics=SimpleNamespace(_tp_index={COMMANDS: channels, OTHER: channels}),
            fetching=Fetching(),
            client_only=False,
            guarded={COMMANDS.topic: lambda _: None},
            counters=Counters(),
            should_stop=False,
        )
        self.app = app
        self.flow_active = True
        self.can_resume_flow, self.suspend_flow = asyncio.Event(), asyncio.Event()
        self._pressure, self._full = {}, defaultdict(set)
        self._committed_offset = defaultdict(lambda: None)
        self._buffered_partitions = set()
        self._starts = {COMMANDS: begin, OTHER: begin}
        self._next = dict(self._starts)
        self._completed, self._gave_up = {}, set()
        self._skips = SkippedRanges()
        self._loop = None
        log: Any = logging.getLogger(__name__)
        self.log = log
        self._commit_fut = None
        self.assigned = {COMMANDS, OTHER}
        self.isolated: list[Any] = []
        app.isolate = self.isolate
        self.may_isolate = True

    async def isolate(self, tp: TP, skips: Any) -> bool:
        assert self.next_readable(tp, skips[0].offset) == skips[0].offset, "skipped before its dead letter is stored"
        self.isolated += [(tp, skip.offset, skip.last) for skip in skips]
        return self.may_isolate

    async def on_seek(self) -> None: ...

    def highwater(self, tp: TP) -> int:
        return 100

    def assignment(self) -> set[TP]:
        return self.assigned

    async def seek_to_committed(self) -> dict[TP, Any]:
        await self.on_seek()
        self.positions |= {tp: offset for tp, offset in self.stored.items() if offset}
        return self.stored

    async def earliest_offsets(self, *places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, FIRST)

    async def seek_wait(self, places: Mapping[TP, int]) -> None:
        self.positions |= places

    async def on_rewind(self, tp: TP, due: int) -> None:
        self.back.append((tp, due))

    def deliver(self, records: dict[TP, list[Any]], active: set[TP] | None = None, generation: int = 7) -> None:
        asyncio.run(self._deliver(records, active, generation))

    def committable(self) -> dict[TP, int]:
        return self._filter_committable_offsets(self._filter_tps_with_pending_acks())


def records(tp: TP, *offsets: int) -> list[Any]:
    return [
        SimpleNamespace(
            topic=tp.topic,
            partition=tp.partition,
            offset=offset,
            timestamp=1,
            timestamp_type=1,
            headers=(),
            key=b"k",
            value=b"v",
            checksum=None,
            serialized_key_size=1,
            serialized_value_size=1,
        )
        for offset in offsets
    ]


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def consumer(queue: FakeQueue) -> Bench:
    return Bench([queue])


def test_the_records_of_a_poll_are_handed_over_in_order(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3, 4, 5)})
    consumer.deliver({COMMANDS: records(COMMANDS, 6)})
    assert queue.offsets == [3, 4, 5, 6]


def test_a_message_knows_the_bytes_of_its_record(consumer: Bench, queue: FakeQueue) -> None:
    [large], [empty] = records(COMMANDS, 3), records(COMMANDS, 4)
    large.value, large.headers = b"v" * 7, (("name", b"value"), ("null", None))
    empty.key = empty.value = None
    consumer.deliver({COMMANDS: [large, empty]})
    assert queue.size_bytes == 1 + 7 + 9 + 4


def test_what_was_handed_over_before_is_not_handed_over_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3, 4)})
    assert consumer.back == []
    consumer.deliver({COMMANDS: records(COMMANDS, 3, 4, 6)})
    assert queue.offsets == [3, 4, 6]
    assert consumer.back == [(COMMANDS, 5)]


def test_a_partition_is_fetched_again_once_all_its_agents_have_room() -> None:
    async def run() -> None:
        queues = [RecordQueue(4, flow_control=FlowControlEvent()) for _ in range(2)]
        consumer = Bench(cast("Any", queues))
        consumer._active_partitions = {COMMANDS}
        cast("Any", consumer.app).in_recovery = False
        await consumer._deliver({COMMANDS: records(COMMANDS, 1, 2, 3)}, None, 7)
        fetched = []
        for queue in queues:
            fetched.append(consumer._active_partitions.copy())
            queue.take(3)
            queue.take(1)
        assert fetched == [set(), set()]
        assert consumer._active_partitions == {COMMANDS}

    asyncio.run(run())


def test_a_partition_that_is_paused_gets_nothing(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3), OTHER: records(OTHER, 9)}, active={OTHER})
    assert queue.offsets == [9]
    consumer._buffered_partitions.add(COMMANDS)
    consumer.deliver({COMMANDS: records(COMMANDS, 3)}, active={OTHER})
    assert queue.offsets == [9, 3]


def test_records_of_an_older_generation_are_left_to_be_read_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3)}, generation=6)
    assert queue.offsets == []
    consumer.deliver({COMMANDS: records(COMMANDS, 3)})
    assert queue.offsets == [3]


def test_records_of_a_poll_during_which_a_rebalance_came_are_left_to_be_read_again(
    consumer: Bench, queue: FakeQueue
) -> None:
    polls = [{COMMANDS: records(COMMANDS, 3)}, {COMMANDS: records(COMMANDS, 4)}]
    passed: list[float] = []

    async def poll(_: float) -> tuple[dict[TP, list[Any]], None]:
        if not polls:
            consumer._stopped.set()
        return polls.pop(0) if polls else {}, None

    async def rebalance(seconds: float) -> None:
        passed.append(seconds)
        consumer.app.consumer_generation_id += len(passed) == 1

    consumer._stopped, consumer._crashed = asyncio.Event(), asyncio.Event()  # type: ignore[assignment]
    consumer.diag = SimpleNamespace(set_flag=print, unset_flag=print)  # type: ignore[assignment]
    consumer._wait_next_records = poll  # type: ignore[method-assign,assignment]
    consumer.sleep = rebalance  # type: ignore[method-assign,assignment]
    asyncio.run(consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event())))
    assert queue.offsets == [4]


def test_what_comes_while_the_flow_is_stopped_is_sought_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.stored = {COMMANDS: 3, OTHER: None, CHANGELOG: None}
    consumer.flow_active = False
    consumer.deliver({COMMANDS: records(COMMANDS, 3), OTHER: records(OTHER, 2)})
    assert queue.offsets == []
    assert consumer.positions == {COMMANDS: 3, OTHER: FIRST}
    assert (consumer.start_offset(COMMANDS), consumer.start_offset(OTHER), consumer.start_offset(CHANGELOG)) == (
        3,
        FIRST,
        None,
    )
    assert (consumer.committed(COMMANDS), consumer.committed(OTHER)) == (3, None)


def test_what_was_handed_over_before_a_seek_is_handed_over_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 1, 2, 3)})
    consumer.stored = {COMMANDS: 2}
    asyncio.run(consumer.perform_seek())
    consumer.deliver({COMMANDS: records(COMMANDS, 2, 3)})
    assert queue.offsets == [1, 2, 3, 2, 3]


def test_a_seek_that_ends_after_the_next_assignment_replaces_none_of_its_offsets(consumer: Bench) -> None:
    async def assign() -> None:
        consumer.app.consumer_generation_id += 1
        consumer._starts = {OTHER: 5}

    consumer.stored = {COMMANDS: 3}
    consumer.on_seek = assign  # type: ignore[method-assign]
    consumer.flow_active = False
    consumer.deliver({COMMANDS: records(COMMANDS, 3)})
    assert (consumer.start_offset(COMMANDS), consumer.start_offset(OTHER)) == (None, 5)


def test_partitions_that_are_given_up_meanwhile_are_not_sought(consumer: Bench, queue: FakeQueue) -> None:
    async def seek_to_committed() -> dict[TP, Any]:
        raise IllegalStateError("not assigned")

    consumer.seek_to_committed = seek_to_committed  # type: ignore[method-assign]
    consumer.flow_active = False
    consumer.deliver({COMMANDS: records(COMMANDS, 3)})
    assert queue.offsets == []


def test_offsets_that_compaction_took_do_not_hold_the_commit_up(consumer: Bench) -> None:
    consumer.complete("one", collected(consumer, 1, 2, 6))
    assert consumer.committable() == {COMMANDS: 7}


def test_what_is_committed_is_not_committed_again(consumer: Bench) -> None:
    consumer.complete("one", collected(consumer, 1, 2))
    consumer._committed_offset[COMMANDS] = 3
    assert consumer.committable() == {}


def test_a_partition_counts_as_far_as_all_its_agents_are_through() -> None:
    consumer = Bench([FakeQueue(), FakeQueue()])
    messages = collected(consumer, 1, 2)
    consumer.complete("one", messages)
    assert consumer.committable() == {}
    consumer.complete("other", messages[:1])
    assert consumer.committable() == {COMMANDS: 2}


def test_what_an_agent_was_given_in_an_earlier_generation_does_not_count(consumer: Bench) -> None:
    messages = collected(consumer, 1, 2)
    consumer.app.consumer_generation_id += 1
    consumer.complete("one", messages)
    assert consumer.committable() == {}


def test_what_was_done_before_a_seek_still_counts(consumer: Bench) -> None:
    consumer.stored = {COMMANDS: 1}
    consumer.complete("one", collected(consumer, 1, 2, 3))
    asyncio.run(consumer.perform_seek())
    assert consumer.committable() == {COMMANDS: 4}
    consumer.complete("one", collected(consumer, 1))
    assert consumer.committable() == {COMMANDS: 4}


def test_between_giving_up_and_seeking_nothing_counts(consumer: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = collected(consumer, 1, 2, 3)
    seen = []

    async def wait_for_agents(waiting: Consumer, revoked: set[TP]) -> None:
        consumer.complete("one", messages[:1])
        seen.append(consumer.committable())

    monkeypatch.setattr(Consumer, "on_partitions_revoked", wait_for_agents)
    asyncio.run(consumer.on_partitions_revoked({COMMANDS}))
    assert seen == [{COMMANDS: 2}]
    consumer.complete("one", messages[1:])
    assert (consumer.committable(), consumer.start_offset(COMMANDS)) == ({}, None)
    consumer.stored = {COMMANDS: 1}
    asyncio.run(consumer.perform_seek())
    assert consumer.committable() == {}


def test_a_worker_without_partitions_reads_none_of_those_that_it_gets_before_they_are_recovered(
    consumer: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows = []

    async def revoke(*_: Any) -> None:
        flows.append(consumer.flow_active)

    monkeypatch.setattr(Consumer, "on_partitions_revoked", revoke)
    asyncio.run(consumer.on_partitions_revoked(set()))
    assert flows == [False]


def test_an_agent_that_gave_a_batch_up_takes_nothing_until_it_is_sought(consumer: Bench) -> None:
    consumer.give_up("one")
    assert (consumer.accepts("one"), consumer.accepts("other")) == (False, True)
    consumer.stored = {COMMANDS: 1}
    asyncio.run(consumer.perform_seek())
    assert consumer.accepts("one")


def test_markers_behind_the_last_record_count_as_done(consumer: Bench) -> None:
    messages = collected(consumer, 1, 2)
    consumer.deliver({COMMANDS: [SkippedOffsets(3, 3), SkippedOffsets(4, 6)]})
    assert consumer.committable() == {}
    consumer.complete("one", messages)
    assert consumer.committable() == {COMMANDS: 7}


def test_a_partition_with_nothing_but_markers_is_committed_behind_them(consumer: Bench) -> None:
    consumer.deliver({COMMANDS: [SkippedOffsets(1, 5)]})
    assert consumer.committable() == {COMMANDS: 6}


def test_what_all_agents_are_through_with_is_forgotten(consumer: Bench) -> None:
    messages = collected(consumer, 1, 2)
    consumer.deliver({COMMANDS: [SkippedOffsets(3, 3), *records(COMMANDS, 4)]})
    assert consumer.committable() == {}
    assert consumer.next_readable(COMMANDS, 3) == 4
    last: Any = SimpleNamespace(tp=COMMANDS, partition=COMMANDS.partition, offset=4, generation_id=7)
    consumer.complete("one", [messages[-1], last])
    assert consumer.committable() == {COMMANDS: 5}
    assert consumer.next_readable(COMMANDS, 3) == 3


def test_what_is_given_up_has_no_markers_any_more(consumer: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: Any) -> None:
        pass

    monkeypatch.setattr(Consumer, "on_partitions_revoked", nobody)
    consumer.deliver({COMMANDS: [SkippedOffsets(1, 5)]})
    asyncio.run(consumer.on_partitions_revoked({COMMANDS}))
    assert consumer.next_readable(COMMANDS, 1) == 1


def test_records_around_an_unreadable_one_go_on_once_its_dead_letter_is_stored(
    consumer: Bench, queue: FakeQueue
) -> None:
    [first], [last] = records(COMMANDS, 1), records(COMMANDS, 4)
    consumer.deliver({COMMANDS: [first, SkippedOffsets(2, 3, ValueError("odd"), b"raw"), last]})
    assert consumer.isolated == [(COMMANDS, 2, 3)]
    assert queue.offsets == [1, 4]
    assert consumer.next_readable(COMMANDS, 2) == 4


def test_nothing_is_handed_over_where_a_dead_letter_could_not_be_stored(consumer: Bench, queue: FakeQueue) -> None:
    consumer.may_isolate = False
    consumer.deliver({COMMANDS: [*records(COMMANDS, 1), SkippedOffsets(2, 3, ValueError("odd"), b"raw")]})
    assert queue.offsets == []
    assert consumer.next_readable(COMMANDS, 2) == 2


@pytest.mark.parametrize("flows", [True, False], ids=["has ended", "has begun"])
def test_after_a_rebalance_that_came_while_a_dead_letter_was_stored_nothing_is_handed_over(
    consumer: Bench, queue: FakeQueue, flows: bool
) -> None:
    async def isolate(*_: Any) -> bool:
        consumer.flow_active = flows
        consumer.app.consumer_generation_id += flows
        return True

    consumer.app.isolate = isolate  # type: ignore[attr-defined]
    consumer.deliver({COMMANDS: [*records(COMMANDS, 1), SkippedOffsets(2, 3, ValueError("odd"), b"raw")]})
    assert queue.offsets == []


def collected(consumer: Bench, *offsets: int) -> list[Any]:
    """Hand records over; the messages that the first queue got."""
    messages: list[Any] = []
    app: Any = consumer.app
    channel = app.topics._tp_index[COMMANDS][0]
    channel.queue.put_all = lambda put, *_: messages.extend(put)
    consumer.deliver({COMMANDS: records(COMMANDS, *offsets)})
    return messages


def waits_after(consumer: Bench, *counts: int) -> list[int]:
    """What fetches are told to wait for each other's records (ms) after polls of so many records."""
    told: list[int] = []
    consumer._fetch_thread = cast("Any", SimpleNamespace(gather=told.append))
    for count in counts:
        consumer._gather(count)
    return told


def test_while_records_come_quickly_fetches_wait_for_more_of_them(consumer: Bench) -> None:
    cast("App", consumer.app).fetching = Fetching(gather_max_ms=50)
    assert waits_after(consumer, 1, 2, 5, 999, 1, 0) == [0, 0, 20, 50, 0, 0]


def test_a_role_says_how_long_a_fetch_waits_for_each_record(consumer: Bench) -> None:
    cast("App", consumer.app).fetching = Fetching(gather_max_ms=150, gather_each_ms=2)
    assert waits_after(consumer, 4, 5, 70, 100, 1) == [0, 10, 140, 150, 0]


def test_a_backlog_is_fetched_without_a_pause(consumer: Bench) -> None:
    cast("App", consumer.app).fetching = Fetching(gather_max_ms=50)
    assert waits_after(consumer, GATHER_RECORDS, 2_000, GATHER_RECORDS - 1) == [0, 0, 50]


def test_a_role_that_gathers_nothing_never_waits(consumer: Bench) -> None:
    assert waits_after(consumer, 1, 1_000) == []


def test_the_records_of_a_poll_are_all_there_before_an_agent_begins(consumer: Bench, queue: FakeQueue) -> None:
    async def scenario() -> list[int]:
        polled = {COMMANDS: records(COMMANDS, 3, 4), OTHER: records(OTHER, 9)}
        delivery = asyncio.create_task(consumer._deliver(polled, None, 7))
        await asyncio.sleep(0)
        handed_over = list(queue.offsets)
        await delivery
        return handed_over

    assert asyncio.run(scenario()) == [3, 4, 9]


def test_committed_records_are_fetched_and_a_fetch_that_finds_nothing_is_soon_back(app: App) -> None:
    told: dict[str, Any] = {"callback": print, "on_partitions_revoked": print, "on_partitions_assigned": print}

    async def made() -> Any:
        transport: Any = app.transport
        thread = BatchConsumer(transport, **told)._thread
        consumer = thread._create_worker_consumer(transport)
        await consumer.stop()
        thread.thread_loop.close()
        return consumer

    consumer = asyncio.run(made())
    assert consumer._fetch_max_wait_ms == FETCH_WAIT_MS
    assert consumer._isolation_level == READ_COMMITTED


def started_fetcher(app: App, fetching: Fetching, monkeypatch: pytest.MonkeyPatch, pause_s: float = 0) -> Any:
    """The fetcher of a started consumer, whose fetches are answered with what is asked, after a pause."""
    told: dict[str, Any] = {"callback": print, "on_partitions_revoked": print, "on_partitions_assigned": print}
    app.fetching = fetching

    async def close() -> None: ...

    async def fetch(*request: Any) -> Any:
        if pause_s:
            await asyncio.sleep(pause_s)
        return request

    async def start(consumer: Any) -> None:
        consumer._fetcher = SimpleNamespace(_prefetch_backoff=0.1, _proc_fetch_request=fetch, close=close)

    monkeypatch.setattr(AIOKafkaConsumer, "start", start)

    async def started() -> Any:
        thread = BatchConsumer(cast("Any", app.transport), **told)._thread
        await thread.on_start()
        cast("Any", thread).gather(fetching.gather_max_ms)
        consumer: Any = thread._consumer
        await consumer.stop()
        thread.thread_loop.close()
        return consumer._fetcher

    return asyncio.run(started())


def slept(fetcher: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a fetch waits before it is sent, as it is."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert asyncio.run(fetcher._proc_fetch_request("assignment", 1, "request")) == ("assignment", 1, "request")
    return pauses


def test_a_fetch_that_gathers_is_sent_later(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert slept(started_fetcher(app, Fetching(gather_max_ms=50), monkeypatch), monkeypatch) == [0.05]


@pytest.mark.parametrize("gathers", [Fetching(gather_max_ms=50), Fetching()], ids=["while it gathers", "in aiokafka"])
def test_a_fetch_that_is_cancelled_has_brought_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch, gathers: Fetching
) -> None:
    fetcher = started_fetcher(app, gathers, monkeypatch, pause_s=10)

    async def cancelled() -> bool:
        task = asyncio.create_task(fetcher._proc_fetch_request("assignment", 1, "request"))
        await asyncio.sleep(0.01)
        task.cancel()
        return bool(await task)

    assert asyncio.run(cancelled()) is False


def test_a_fetch_of_a_role_that_gathers_nothing_is_sent_at_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert slept(started_fetcher(app, Fetching(), monkeypatch), monkeypatch) == []


def test_records_that_wait_to_be_taken_stop_fetches_only_as_long_as_the_role_says(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started_fetcher(app, Fetching(backoff_s=0.25), monkeypatch)._prefetch_backoff == 0.25


@pytest.mark.parametrize("under_way", [False, True], ids=["alone", "while another commit is under way"])
def test_what_is_completed_is_committed_at_once(consumer: Bench, under_way: bool) -> None:
    committed = []

    async def force_commit(*_: object, **__: object) -> bool:
        offsets = consumer.committable()
        await asyncio.sleep(0.01)
        committed.append(offsets)
        return True

    async def commit() -> None:
        other = asyncio.create_task(consumer.commit()) if under_way else None
        await asyncio.sleep(0)
        consumer.complete("one", messages)
        await consumer.commit_completed()
        if other is not None:
            await other

    messages = collected(consumer, 1)
    consumer.force_commit = force_commit
    asyncio.run(commit())

    assert committed[-1] == {COMMANDS: 2}


@pytest.mark.parametrize("ending", ["rebalance", "end"])
def test_a_rebalance_and_the_end_commit_for_themselves(consumer: Bench, ending: str) -> None:
    async def commit(*_: object) -> bool:
        raise AssertionError("committed")

    consumer.flow_active = ending != "rebalance"
    cast("Any", consumer.app).should_stop = ending == "end"
    consumer.commit = commit  # type: ignore[assignment]

    asyncio.run(consumer.commit_completed())


def at(offset: int, tp: TP = COMMANDS) -> Any:
    return SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=offset, tp=tp, generation_id=7)


def handle(consumer: Bench, *offsets: int, tp: TP = COMMANDS) -> None:
    """What an agent does with a batch."""
    messages = [at(offset, tp) for offset in offsets]
    while messages:
        whole = messages[: consumer.check_gaps("one", messages)]
        consumer.complete("one", whole)
        messages = messages[len(whole) :]


def test_records_follow_each_other_from_where_the_reading_begins(consumer: Bench) -> None:
    handle(consumer, 1, 2)
    handle(consumer, 3)
    handle(consumer, 3, 4)  # twice is not lost
    assert (consumer.next_offset(COMMANDS), consumer.next_offset(OTHER)) == (5, 1)


@pytest.mark.parametrize("offsets", [(2,), (1, 3), (1, 2, 2, 4)])
def test_a_gap_is_an_error(consumer: Bench, offsets: tuple[int, ...]) -> None:
    with pytest.raises(InvariantBroken, match=rf"commands\[0\]: offset .* was due, {offsets[-1]} came"):
        handle(consumer, *offsets)


def test_a_gap_between_two_batches_is_an_error(consumer: Bench) -> None:
    handle(consumer, 1)
    with pytest.raises(InvariantBroken, match="offset 2 was due, 3 came"):
        handle(consumer, 3)


def test_partitions_of_a_batch_are_followed_apart(consumer: Bench) -> None:
    assert consumer.check_gaps("one", [at(1), at(1, OTHER), at(2), at(2, OTHER)]) is None
    assert consumer.check_gaps("one", [at(1), at(1, OTHER), at(2), at(3, OTHER)]) == 3


def test_what_the_fetcher_passed_over_is_no_gap_and_what_is_beside_it_is_one(consumer: Bench) -> None:
    consumer.deliver({COMMANDS: [SkippedOffsets(1, 2), *records(COMMANDS, 3), SkippedOffsets(4, 6)]})
    handle(consumer, 3)
    handle(consumer, 7)
    with pytest.raises(InvariantBroken, match="offset 8 was due, 9 came"):
        handle(consumer, 9)


def test_a_gap_in_a_topic_that_others_read_is_counted_and_passed(consumer: Bench) -> None:
    mails = TP("notification-jobs", 0)
    consumer._starts[mails] = 1
    handle(consumer, 1, 5, tp=mails)
    handle(consumer, 6, tp=mails)
    assert cast("Any", consumer.app).counters.lost == {mails.topic: 3}


def test_offsets_behind_a_record_that_compaction_took_are_passed_with_it(consumer: Bench) -> None:
    rows = TP(EVENT_ROWS, 0)
    app: Any = consumer.app
    app.topics._tp_index[rows] = app.topics._tp_index[COMMANDS]
    consumer._starts[rows] = consumer._next[rows] = 10
    consumer.deliver({rows: [*records(rows, 12), SkippedOffsets(20, 20)]})
    assert consumer.next_offset(rows) == 10
    consumer.complete("one", [at(12, rows)])
    assert consumer.next_offset(rows) == 21


def test_a_partition_that_is_not_assigned_is_no_input(consumer: Bench) -> None:
    consumer.assigned = {COMMANDS}
    assert consumer.inputs() == [COMMANDS]


def test_what_compaction_took_is_no_gap(consumer: Bench) -> None:
    rows = TP(EVENT_ROWS, 0)
    consumer._starts[rows] = 0
    consumer.check_gaps("one", [at(4, rows), at(9, rows)])
    assert not cast("Any", consumer.app).counters.lost


def test_a_partition_that_is_not_read_has_no_next_offset_and_no_gap(consumer: Bench) -> None:
    gone = TP("commands", 9)
    consumer.check_gaps("one", [at(4, gone)])
    assert consumer.next_offset(gone) is None
    assert consumer.inputs() == [COMMANDS, OTHER]


def test_where_records_were_given_up_for_lost_the_reading_begins_behind_them(consumer: Bench) -> None:
    handle(consumer, 1)
    consumer.stored = {COMMANDS: 50}
    asyncio.run(consumer.perform_seek())
    handle(consumer, 50)
