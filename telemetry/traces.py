"""Spans of sampled requests and of the records that follow from them, exported in the background.

Where nothing is sampled nothing is made: ``under_way`` is None, and a record carries no header.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from settings import Settings
from telemetry.zipkin import make_exporter

HEADER: Final = "traceparent"
# Spans that wait for the exporter; more are dropped.
QUEUE: Final = 4_096
AT_ONCE: Final = 512
EVERY_MS: Final = 500

Tags = dict[str, str | int]

_propagator: Final = TraceContextTextMapPropagator()
_under_way: Final[ContextVar[Span | None]] = ContextVar("under_way", default=None)


class Traces:
    """The spans of one process, told under the name ``service``. Whoever begins a span has decided to sample it."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource({SERVICE_NAME: service}), shutdown_on_exit=True
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter, max_queue_size=QUEUE, max_export_batch_size=AT_ONCE, schedule_delay_millis=EVERY_MS
            )
        )
        self._tracer = self._provider.get_tracer("turnstile")

    def begin(self, name: str, kind: SpanKind, tags: Tags, parent: Context | None = None) -> Span:
        """A span that runs until ``end()`` is called on it; without a parent it begins a trace."""
        return self._tracer.start_span(name, context=parent or Context(), kind=kind, attributes=tags)

    def flush(self) -> None:
        """Export what waits now."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export what waits, if that is possible, and end."""
        self._provider.shutdown()


def make_traces(service: str, now: Settings) -> Traces | None:
    """The spans of this process; None where no Zipkin is set."""
    return Traces(service, make_exporter(now.zipkin_url)) if now.zipkin_url else None


def sampled(text: str) -> Context | None:
    """What a ``traceparent`` (W3C Trace Context) tells, if it is one and its trace is sampled."""
    context = _propagator.extract({HEADER: text})
    found = get_current_span(context).get_span_context()
    return context if found.is_valid and found.trace_flags.sampled else None


def traceparent(span: Span) -> str:
    """The header that lets others go on from a span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def under_way() -> Span | None:
    """The span of the request that is being answered here; None unless it is sampled."""
    return _under_way.get()


def carried() -> str | None:
    """The ``traceparent`` to hand on from here; None where nothing is sampled."""
    span = _under_way.get()
    return None if span is None else traceparent(span)


@contextmanager
def being(span: Span) -> Iterator[None]:
    """While inside, the span is under way."""
    token = _under_way.set(span)
    try:
        yield
    finally:
        _under_way.reset(token)
