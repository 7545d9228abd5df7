"""A share of the requests gets a span, which begins a trace; the others pass untouched.

What a client says of a trace of its own is not believed: anybody could make every request a sampled one.
"""

import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.trace import Span, SpanKind, StatusCode

from api.web.raw_response import Fields, Message, Receive, Reply, Scope, Send, Served
from telemetry.traces import Traces, current_span, in_span

# A part of a path that names one thing of many.
_ID: Final = re.compile(r"/[^/]*\d[^/]{15,}")


class Traced:
    """The application ``inner``, a share ``ratio`` (0 to 1) of whose requests is told to ``traces``."""

    def __init__(
        self, inner: Served, traces: Traces, ratio: float, chance: Callable[[], float] = random.random
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

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _tell(span, message["status"])
                await send(message)

            await self.inner(scope, receive, told)

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Awaitable[Reply] | None:
        """The answer of the inner application's fast path."""
        answer = self.inner.take(method, target, fields, body)
        if answer is None or self._chance() >= self._ratio:
            return answer
        return self._told(answer, method.decode(), target.decode())

    def answered(self, status: int | None, began: float) -> None:
        """Hand it on."""
        self.inner.answered(status, began)

    async def _told(self, answer: Awaitable[Reply], method: str, path: str) -> Reply:
        with self._span(method, path) as span:
            reply = await answer
            _tell(span, reply.status)
            return reply

    @contextmanager
    def _span(self, method: str, path: str) -> Iterator[Span]:
        """A span that is under way while inside, and ends with it."""
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


def traced() -> Mapping[str, object]:
    """What a line of the log tells of the trace under way."""
    span = current_span()
    return {} if span is None else {"trace": f"{span.get_span_context().trace_id:032x}"}


def _tell(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
