"""Where and when a record is, in log lines and in traces.

A log line names it ``topic[partition]@offset``, with its key where that is an id. A record with a sampled trace has a
span from the start of its batch to its end; a batch that is given up has none, since its records come again. Without
Zipkin no record is looked at.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from opentelemetry.trace import Span, SpanKind

from streams.runtime.kafka_types import Headers, Message
from telemetry.traces import TRACEPARENT_HEADER, Traces, sampled_context, traceparent

ID_CHARACTERS: Final = 36
# Where the trace id is in a traceparent.
TRACE: Final = slice(3, 35)
# An id has 36 bytes, other keys may be of any length.
KEY_SHOWN_BYTES: Final = 64

_batch: Final[ContextVar[tuple[str, list[Message]] | None]] = ContextVar("batch", default=None)
_spans: Final[ContextVar["Spans | None"]] = ContextVar("spans", default=None)


def set_batch(agent: str, messages: list[Message]) -> None:
    """Note the records that an agent handles, for the calling task and those that it starts."""
    _batch.set((agent, messages))


def batch_fields() -> Mapping[str, object]:
    """The fields that each log line of a batch has."""
    batch = _batch.get()
    if batch is None:
        return {}
    agent, messages = batch
    first, last = messages[0], messages[-1]
    place = f"{record_name(first)}" if first is last else f"{record_name(first)} to {record_name(last)}"
    return {"agent": agent, "records": place}


def record_name(message: Message) -> str:
    """The place of a record: ``topic[partition]@offset``."""
    return f"{message.topic}[{message.partition}]@{message.offset}"


def timestamp_ms(message: Message) -> int:
    """A record's timestamp as the log has it, in ms since 1970; Faust has seconds."""
    return round(message.timestamp * 1000)


def log_fields(message: Message, **more: object) -> dict[str, Any]:
    """The fields of a log line about one record."""
    trace = traceparent_header(message)[TRACE] if message.headers else ""
    return {"record": record_name(message), "key": shown_key(message.key), "trace": trace or None, **more}


def shown_key(key: object) -> str | None:
    """The key, if it is an id. Anything else may be personal data, and is not logged."""
    text = key.decode("ascii", "replace") if isinstance(key, bytes) else str(key)
    try:
        return str(UUID(text)) if len(text) == ID_CHARACTERS else None
    except ValueError:
        return None


class Spans:
    """The spans of a batch, for the agent's task and those that it starts."""

    def __init__(self, traces: Traces, name: str) -> None:
        self._traces = traces
        self._name = name
        self._open: dict[int, Span] = {}

    @classmethod
    def begin(cls, traces: Traces | None, name: str, messages: list[Message]) -> "Spans | None":
        """Start spans for these records; None without Zipkin."""
        if traces is None:
            return None
        spans = cls(traces, name)
        _spans.set(spans)
        for message in messages:
            if message.headers:
                spans.start(message, traceparent_header(message))
        return spans

    def start(self, message: Message, text: str) -> None:
        """Start a record's span, if its traceparent ``text`` is sampled."""
        parent = sampled_context(text) if text else None
        if parent is not None:
            self._open[id(message)] = self._traces.begin(self._name, SpanKind.CONSUMER, _tags(message), parent)

    def of(self, message: Message) -> Span | None:
        """The span of a record."""
        return self._open.get(id(message))

    def end(self) -> None:
        """End all spans: the batch is handled."""
        for span in self._open.values():
            span.end()


def continue_trace(message: Message, text: str | None) -> None:
    """Start the span of a record whose traceparent is in its value, not in its headers."""
    batch = _spans.get()
    if text and batch is not None:
        batch.start(message, text)


def traceparent_of(message: Message) -> str | None:
    """The traceparent of a record's span, for what follows from it; None where it has no span."""
    batch = _spans.get()
    span = None if batch is None else batch.of(message)
    return None if span is None else traceparent(span)


def trace_headers(message: Message) -> Headers:
    """The headers for a record that follows from this one."""
    text = traceparent_of(message) if message.headers else None
    return ((TRACEPARENT_HEADER, text.encode()),) if text else ()


def traceparent_header(message: Message) -> str:
    """The traceparent in a record's headers, or an empty string."""
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
