"""A share of the requests gets a span, which begins a trace; the others pass untouched.

What a client says of a trace of its own is not believed: anybody could make every request a sampled one.
"""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, StatusCode
from werkzeug.wsgi import ClosingIterator

from api.connection import Quick
from api.plain import Plain
from api.reply import Reply
from api.steps import Steps
from telemetry.traces import Traces, being, under_way

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Whether a request is among those that get a span, where that was asked before.
CHOSEN: Final = "turnstile.is_chosen"
# A part of a path that names one thing of many.
_ID: Final = re.compile(r"/[^/]*\d[^/]{15,}")


class Traced:
    """The application ``inner``, a share ``ratio`` (0 to 1) of whose requests is told to ``traces``."""

    def __init__(
        self, inner: Application, traces: Traces, ratio: float, chance: Callable[[], float] = random.random
    ) -> None:
        self.inner = inner
        self._traces = traces
        self._ratio = ratio
        self._chance = chance

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if not (environ[CHOSEN] if CHOSEN in environ else self._is_chosen()):
            return self.inner(environ, start_response)
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        name = f"{method} {_ID.sub('/{id}', path)}"
        span = self._traces.begin(name, SpanKind.SERVER, {"http.request.method": method, "url.path": path})

        def start(status: str, headers: Any, *error: Any) -> Any:
            _tell(span, int(status[:3]))
            return start_response(status, headers, *error)

        try:
            with being(span):
                pieces = self.inner(environ, start)
        except BaseException:
            span.set_status(StatusCode.ERROR)
            span.end()
            raise
        return ClosingIterator(pieces, span.end)

    def before(self, quick: Quick) -> Quick:
        """The quick way for all requests but those that are chosen; the others are not asked a second time."""

        def choose(request: Plain) -> Steps[Reply] | None:
            chosen = self._is_chosen()
            request.marks = {CHOSEN: chosen}
            return None if chosen else quick(request)

        return choose

    def _is_chosen(self) -> bool:
        return self._chance() < self._ratio


def traced() -> Mapping[str, object]:
    """What a line of the log tells of the trace under way."""
    span = under_way()
    return {} if span is None else {"trace": f"{span.get_span_context().trace_id:032x}"}


def _tell(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
