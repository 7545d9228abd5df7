"""Spans of records: one for each record that carries a sampled trace, from the beginning of its batch to its end.

A batch that is given up tells nothing: its records come again. Where no Zipkin is set no record is looked at, else
a record without headers costs a look at them.
"""

from contextvars import ContextVar
from typing import Any, Final

from faust.types import Message
from opentelemetry.trace import Span, SpanKind

from streams.runtime.produce import Headers
from telemetry.traces import TRACEPARENT_HEADER, Traces, sampled_context, traceparent

# An id has 36; anybody may have written a longer key.
KEY_SHOWN_BYTES: Final = 64

_batch: Final[ContextVar["Spans | None"]] = ContextVar("batch", default=None)


class Spans:
    """The spans of an agent's batch, which is under way in the agent's task and those that it starts."""

    def __init__(self, traces: Traces, name: str) -> None:
        self._traces = traces
        self._name = name
        self._open: dict[int, Span] = {}

    @classmethod
    def begin(cls, traces: Traces | None, name: str, messages: list[Message]) -> "Spans | None":
        """Follow the traces that these records carry; None where there are none to be told of."""
        if traces is None:
            return None
        spans = cls(traces, name)
        _batch.set(spans)
        for message in messages:
            if message.headers:
                spans.follow(message, carried_by(message))
        return spans

    def follow(self, message: Message, text: str) -> None:
        """Open a span for a record whose ``traceparent`` is ``text``, if that is sampled."""
        parent = sampled_context(text) if text else None
        if parent is not None:
            self._open[id(message)] = self._traces.begin(self._name, SpanKind.CONSUMER, _tags(message), parent)

    def of(self, message: Message) -> Span | None:
        """The span of a record."""
        return self._open.get(id(message))

    def end(self) -> None:
        """The batch is done."""
        for span in self._open.values():
            span.end()


def follow(message: Message, text: str | None) -> None:
    """A record of the batch under way goes on with a trace that its headers don't tell of."""
    batch = _batch.get()
    if text and batch is not None:
        batch.follow(message, text)


def handed_on(message: Message) -> str | None:
    """The ``traceparent`` for whatever follows from a record; None where it has no span."""
    batch = _batch.get()
    span = None if batch is None else batch.of(message)
    return None if span is None else traceparent(span)


def headers_from(message: Message) -> Headers:
    """The headers of a record that follows from this one."""
    text = handed_on(message) if message.headers else None
    return ((TRACEPARENT_HEADER, text.encode()),) if text else ()


def carried_by(message: Message) -> str:
    """The ``traceparent`` among a record's headers, or nothing."""
    headers: Any = message.headers
    value = dict(headers).get(TRACEPARENT_HEADER)
    return value.decode("ascii", "replace") if value else ""


def _tags(message: Message) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
        "messaging.kafka.message.key": (message.key or b"")[:KEY_SHOWN_BYTES].decode("utf-8", "replace"),
    }
