"""A share of the requests is traced; the others, and what they hand on, know nothing of it."""

import asyncio
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from api.adapters.ledger.command_producer import trace_headers
from api.telemetry.tracing import TracedApplication
from api.web.raw_response import RawResponse, Receive, Scope, Send
from telemetry.traces import TRACEPARENT_HEADER, current_span, sampled_context
from tests.unit.api.asgi import Answering, ask, awaited
from tests.unit.telemetry.kept import KeptTraces

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Handed(Answering):
    """An application that notes what a record of it would carry."""

    headers: Any = "never asked"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = trace_headers()
        await super().__call__(scope, receive, send)

    async def answer(self) -> RawResponse:
        self.headers = trace_headers()
        return await super().answer()


@pytest.mark.parametrize(("chance", "ratio"), [(0.5, 0.5), (0.999, 0.01), (0.0, 0.0)])
def test_a_request_that_is_not_chosen_leaves_no_trace(chance: float, ratio: float) -> None:
    traces, inner = KeptTraces(), Handed()
    assert ask(TracedApplication(inner, traces, ratio, lambda: chance))[-1]["body"] == b"done"
    assert inner.headers is None
    assert traces.spans() == []


def test_what_follows_from_a_chosen_request_carries_its_trace() -> None:
    traces, inner = KeptTraces(), Handed(201)
    path = "/api/v3/events/0f5e3f3e-3f6c-4f39-9f5e-3f3e3f6c4f39/tickets"
    ask(TracedApplication(inner, traces, 0.5, lambda: 0.4), "POST", path, headers={TRACEPARENT_HEADER: GIVEN})

    [span] = traces.spans()
    [(name, value)] = inner.headers
    assert name == TRACEPARENT_HEADER
    assert sampled_context(value.decode()) is not None
    assert format(span.context.trace_id, "032x") in value.decode()
    assert format(span.context.trace_id, "032x") not in GIVEN, "a client's own trace is not believed"
    assert (span.name, span.kind, span.parent) == ("POST /api/v3/events/{id}/tickets", SpanKind.SERVER, None)
    assert dict(span.attributes or {})["http.response.status_code"] == 201
    assert current_span() is None


def test_a_failed_request_is_told_as_failed_and_the_next_one_is_not_within_it() -> None:
    traces = KeptTraces()

    class Breaking(Answering):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        ask(TracedApplication(Breaking(), traces, 1.0))
    ask(TracedApplication(Handed(503), traces, 1.0))

    assert [span.status.status_code for span in traces.spans()] == [StatusCode.ERROR] * 2
    assert current_span() is None


def test_a_span_ends_with_the_last_piece_of_its_answer() -> None:
    traces, open_spans = KeptTraces(), []

    class Long(Answering):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)
            open_spans.append(len(traces.spans()))

    ask(TracedApplication(Long(), traces, 1.0))
    assert (open_spans, len(traces.spans())) == ([0], 1)


@pytest.mark.parametrize("is_chosen", [True, False])
def test_the_fast_path_is_traced_alike(is_chosen: bool) -> None:
    traces, inner = KeptTraces(), Handed(503)
    answer = TracedApplication(inner, traces, 0.5, lambda: 0.4 if is_chosen else 0.6).take(b"POST", b"/x", {}, b"", {})
    assert answer is not None
    assert asyncio.run(awaited(answer)).status == 503
    assert (inner.headers is not None) == is_chosen
    assert [(span.name, span.status.status_code) for span in traces.spans()] == [
        ("POST /x", StatusCode.ERROR)
    ] * is_chosen
    assert current_span() is None
