"""What the consumer hands over and acknowledges; its queues and its app are fakes, Kafka is not there."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from intervaltree import IntervalTree  # type: ignore[import-untyped]

from streams.consumer import BatchConsumer

COMMANDS = TP("commands", 0)
OTHER = TP("commands", 1)


class FakeQueue:
    def __init__(self) -> None:
        self.offsets: list[int] = []

    def put_nowait_enhanced(self, event: Any, *, on_pressure_high: Any, on_pressure_drop: Any) -> None:
        self.offsets.append(event.message.offset)


class FakeFlow:
    def __init__(self) -> None:
        self.active = True

    def is_active(self) -> bool:
        return self.active


class Bench(BatchConsumer):
    """A consumer that was never started, with just what handing over needs."""

    def __init__(self, queues: list[FakeQueue]) -> None:
        self.flow = FakeFlow()
        self.sought = 0
        channels = [SimpleNamespace(queue=queue) for queue in queues]
        app: Any = SimpleNamespace(
            flow_control=self.flow,
            consumer_generation_id=7,
            monitor=SimpleNamespace(track_tp_end_offset=lambda tp, end: None),
            topics=SimpleNamespace(
                _tp_index={COMMANDS: channels, OTHER: channels}, acks_enabled_for=lambda topic: True
            ),
        )
        self.app = app
        self.flow_active = True
        self.acks: dict[TP, list[int]] = defaultdict(list)
        self._pressure = {}
        self._read_offset = defaultdict(lambda: None)
        self._committed_offset = defaultdict(lambda: None)
        self._buffered_partitions = set()
        self._acked = self.acks
        self._acked_index = defaultdict(set)
        self._gap = defaultdict(IntervalTree)

    def highwater(self, tp: TP) -> int:
        return 100

    async def perform_seek(self) -> None:
        self.sought += 1

    def deliver(self, records: dict[TP, list[Any]], active: set[TP] | None = None, generation: int = 7) -> None:
        asyncio.run(self._deliver(records, active, generation))


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
    assert consumer._read_offset[COMMANDS] == 6


def test_what_was_handed_over_before_is_not_handed_over_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer._read_offset[COMMANDS] = 5
    consumer.deliver({COMMANDS: records(COMMANDS, 3, 4, 6)})
    assert queue.offsets == [6]


def test_a_partition_that_is_paused_gets_nothing(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3), OTHER: records(OTHER, 9)}, active={OTHER})
    assert queue.offsets == [9]
    consumer._buffered_partitions.add(COMMANDS)
    consumer.deliver({COMMANDS: records(COMMANDS, 3)}, active={OTHER})
    assert queue.offsets == [9, 3]


def test_records_of_an_older_generation_are_left_to_be_read_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.deliver({COMMANDS: records(COMMANDS, 3)}, generation=6)
    assert queue.offsets == []
    assert consumer._read_offset[COMMANDS] is None


def test_a_flow_that_is_suspended_meanwhile_stops_the_handing_over(consumer: Bench, queue: FakeQueue) -> None:
    waited = []

    async def suspended(*_: Any) -> None:
        waited.append(True)

    consumer.wait_first = suspended  # type: ignore[method-assign,assignment]
    consumer.flow.active = False
    consumer.flow.acquire = lambda: None  # type: ignore[attr-defined]
    consumer.suspend_flow = SimpleNamespace(wait=lambda: None)  # type: ignore[assignment]
    consumer.deliver({COMMANDS: records(COMMANDS, 3)})
    assert waited
    assert queue.offsets == []


def test_what_comes_while_the_flow_is_stopped_is_sought_again(consumer: Bench, queue: FakeQueue) -> None:
    consumer.flow_active = False
    consumer.deliver({COMMANDS: records(COMMANDS, 3)})
    assert (queue.offsets, consumer.sought) == ([], 1)


def test_offsets_that_compaction_took_do_not_hold_the_commit_up(consumer: Bench) -> None:
    messages = collected(consumer, 1, 2, 6)
    consumer._committed_offset[COMMANDS] = 1
    consumer.ack_all(messages)
    assert consumer._new_offset(COMMANDS) == 7


def test_what_was_handed_over_before_is_no_gap(consumer: Bench) -> None:
    consumer._read_offset[COMMANDS] = 5
    consumer.deliver({COMMANDS: records(COMMANDS, 3, 4, 6)})
    assert not consumer._gap[COMMANDS]


def test_a_batch_that_is_not_acknowledged_holds_the_commit_up(consumer: Bench) -> None:
    messages = collected(consumer, 1, 2, 3, 4)
    consumer._committed_offset[COMMANDS] = 1
    consumer.ack_all(messages[:1])
    consumer.ack_all(messages[2:])
    assert consumer._new_offset(COMMANDS) == 2
    assert all(message.acked for message in (messages[0], *messages[2:]))


def test_a_record_for_two_agents_counts_when_both_are_through() -> None:
    consumer = Bench([FakeQueue(), FakeQueue()])
    messages = collected(consumer, 1)
    consumer.ack_all(messages)
    assert consumer.acks[COMMANDS] == []
    consumer.ack_all(messages)
    assert consumer.acks[COMMANDS] == [1]


def collected(consumer: Bench, *offsets: int) -> list[Any]:
    """Hand records over; the messages that the first queue got."""
    messages: list[Any] = []
    app: Any = consumer.app
    channel = app.topics._tp_index[COMMANDS][0]
    channel.queue.put_nowait_enhanced = lambda event, **_: messages.append(event.message)
    consumer.deliver({COMMANDS: records(COMMANDS, *offsets)})
    return messages
