"""Records with a sampled trace get a span for the time of their batch."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.runtime.agents import InFlight, Interrupted, in_batches
from streams.runtime.counters import Counters
from streams.runtime.record_context import continue_trace, trace_headers
from telemetry.traces import TRACEPARENT_HEADER, Traces
from tests.unit.streams.runtime.test_agents import FakeMessage, FakeStream
from tests.unit.telemetry.kept import KeptTraces

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01".encode()


class Record(FakeMessage):
    def __init__(self, offset: int, *headers: tuple[str, bytes | None]) -> None:
        super().__init__(offset)
        self.topic, self.partition, self.key, self.headers = "ticket-commands", 2, b"event", headers


def run(traces: Traces | None, messages: list[Any], handle: Any) -> None:
    stream: Any = FakeStream(set(), messages)
    stream.app = SimpleNamespace(consumer=stream.app.consumer, traces=traces, counters=Counters())
    asyncio.run(in_batches(stream, handle, in_flight=InFlight(), max_records=10, name="ledger"))


def test_a_record_goes_on_with_the_trace_that_it_carries() -> None:
    traces, carried = KeptTraces(), list[Any]()

    async def handle(messages: list[Any]) -> None:
        async def inner() -> None:
            carried.extend(trace_headers(message) for message in messages)

        await asyncio.gather(inner())
        assert traces.spans() == [], "a span ends with its batch"

    run(traces, [Record(6), Record(7, ("id", b"1"), (TRACEPARENT_HEADER, SAMPLED))], handle)

    [span] = traces.spans()
    context = span.context
    assert carried == [(), ((TRACEPARENT_HEADER, f"00-{TRACE}-{context.span_id:016x}-01".encode()),)]
    assert span.parent is not None
    assert (format(context.trace_id, "032x"), format(span.parent.span_id, "016x")) == (TRACE, PARENT)
    assert span.name == "ledger"
    tags = dict(span.attributes or {})
    assert (tags["messaging.destination.name"], tags["messaging.kafka.offset"]) == ("ticket-commands", 7)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("id", b"1"),),
        ((TRACEPARENT_HEADER, b""),),
        ((TRACEPARENT_HEADER, None),),
        ((TRACEPARENT_HEADER, b"\xff"),),
        ((TRACEPARENT_HEADER, b"00-0-0-01"),),
        ((TRACEPARENT_HEADER, f"00-{TRACE}-{PARENT}-00".encode()),),
        ((TRACEPARENT_HEADER, f"00-{'0' * 32}-{PARENT}-01".encode()),),
    ],
    ids=["none", "another", "empty", "null", "bytes", "short", "not sampled", "zero"],
)
def test_a_record_without_a_sampled_trace_has_no_span(headers: tuple[Any, ...]) -> None:
    traces, carried = KeptTraces(), list[Any]()

    async def handle(messages: list[Any]) -> None:
        carried.extend(trace_headers(message) for message in messages)

    run(traces, [Record(7, *headers)], handle)
    assert carried == [()]
    assert traces.spans() == []


def test_a_trace_may_stand_in_the_value_too() -> None:
    traces = KeptTraces()

    async def handle(messages: list[Any]) -> None:
        continue_trace(messages[0], SAMPLED.decode())
        continue_trace(messages[1], None)

    run(traces, [Record(7), Record(8)], handle)
    assert len(traces.spans()) == 1


def test_a_batch_that_is_given_up_tells_nothing() -> None:
    traces = KeptTraces()

    async def handle(_: list[Any]) -> None:
        raise Interrupted

    run(traces, [Record(7, (TRACEPARENT_HEADER, SAMPLED))], handle)
    assert traces.spans() == []


class Unseen(Record):
    """A record whose headers nobody may read."""

    @property
    def headers(self) -> Any:
        raise AssertionError("looked at")

    @headers.setter
    def headers(self, _: Any) -> None: ...


def test_without_a_zipkin_no_record_is_looked_at() -> None:
    async def handle(messages: list[Any]) -> None:
        continue_trace(messages[0], SAMPLED.decode())

    run(None, [Unseen(7)], handle)
