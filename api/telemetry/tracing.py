"""Traces a share of the requests, each in a span that begins a trace.

The trace headers of clients are ignored: with them, anybody could have every request sampled.
"""

import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.trace import Span, SpanKind, StatusCode

from api.web.raw_response import FastApplication, Fields, Message, RawResponse, Receive, Scope, Send
from telemetry.traces import Traces, current_span, in_span

# A path segment that is an id.
_ID: Final = re.compile(r"/[^/]*\d[^/]{15,}")


class TracedApplication:
    """Wraps the application ``inner``; traces a share ``ratio`` (0 to 1) of its requests."""

    def __init__(
        self, inner: FastApplication, traces: Traces, ratio: float, chance: Callable[[], float] = random.random
    ) -> None:
        self.inner = inner
        self._traces = traces
        self._ratio = ratio
        self._chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._chance() >= self._ratio:
            await self.inner(scope, receive, send)
            return
        with self._span(scope["method"], scope["path"]) as span:

            async def trace_and_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _end(span, message["status"])
                await send(message)

            await self.inner(scope, receive, trace_and_send)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """The answer of the inner application's fast path."""
        answer = self.inner.take(method, target, fields, body, scope)
        if answer is None or self._chance() >= self._ratio:
            return answer
        return self._traced(answer, method.decode(), target.decode())

    async def _traced(self, answer: Awaitable[RawResponse], method: str, path: str) -> RawResponse:
        with self._span(method, path) as span:
            reply = await answer
            _end(span, reply.status)
            return reply

    @contextmanager
    def _span(self, method: str, path: str) -> Iterator[Span]:
        """A span that is current inside ``with``."""
        name = f"{method} {_ID.sub('/{id}', path)}"
        span = self._traces.begin(name, SpanKind.SERVER, {"http.request.method": method, "url.path": path})
        try:
            with in_span(span):
                yield span
        except BaseException:
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()


def trace_fields() -> Mapping[str, object]:
    """The fields of a log line for the current trace."""
    span = current_span()
    return {} if span is None else {"trace": f"{span.get_span_context().trace_id:032x}"}


def _end(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
