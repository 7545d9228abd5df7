"""Spans of sampled requests and of the records that they lead to, exported in the background.

An unsampled request costs nothing: ``current_span`` returns None, and its records have no header.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pkgutil import resolve_name
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT_HEADER: Final = "traceparent"
# Spans in the exporter's queue; further ones are dropped.
QUEUE_MAX_SPANS: Final = 4_096
EXPORT_MAX_SPANS: Final = 512
EXPORT_INTERVAL_MS: Final = 500

Tags = dict[str, str | int]

_propagator: Final = TraceContextTextMapPropagator()
_current_span: Final[ContextVar[Span | None]] = ContextVar("current_span", default=None)


class Traces:
    """The spans of one process, with the service name ``service``. Callers decide on sampling: they begin no others."""

    def __init__(
        self,
        service: str,
        exporter: SpanExporter,
        queue_max: int = QUEUE_MAX_SPANS,
        export_max: int = EXPORT_MAX_SPANS,
    ) -> None:
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource({SERVICE_NAME: service}), shutdown_on_exit=True
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=queue_max,
                max_export_batch_size=export_max,
                schedule_delay_millis=EXPORT_INTERVAL_MS,
            )
        )
        self._tracer = self._provider.get_tracer("turnstile")

    def begin(self, name: str, kind: SpanKind, tags: Tags, parent: Context | None = None) -> Span:
        """Begin a span, which lasts until its ``end()``; without a parent it is the root of a trace."""
        return self._tracer.start_span(name, context=parent or Context(), kind=kind, attributes=tags)

    def flush(self) -> None:
        """Export the queued spans now."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export the queued spans, if possible, and shut down."""
        self._provider.shutdown()


def make_traces(service: str, zipkin_url: str | None) -> Traces | None:
    """The spans of this process; None if no Zipkin is configured. Only with one is its HTTP client loaded (50 ms)."""
    return Traces(service, resolve_name("telemetry.zipkin:make_exporter")(zipkin_url)) if zipkin_url else None


def sampled_context(text: str) -> Context | None:
    """The context of a ``traceparent`` header (W3C Trace Context), if it is valid and sampled."""
    context = _propagator.extract({TRACEPARENT_HEADER: text})
    found = get_current_span(context).get_span_context()
    return context if found.is_valid and found.trace_flags.sampled else None


def traceparent(span: Span) -> str:
    """The ``traceparent`` header with which others continue a span's trace."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def current_span() -> Span | None:
    """The span of the current request; None unless it is sampled."""
    return _current_span.get()


def current_traceparent() -> str | None:
    """The ``traceparent`` of the current span; None if there is none."""
    span = _current_span.get()
    return None if span is None else traceparent(span)


@contextmanager
def in_span(span: Span) -> Iterator[None]:
    """Make the span the current one."""
    token = _current_span.set(span)
    try:
        yield
    finally:
        _current_span.reset(token)
