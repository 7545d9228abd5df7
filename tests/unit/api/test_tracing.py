"""A share of the requests is traced; the others, and what they hand on, know nothing of it."""

from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from werkzeug.test import Client, run_wsgi_app
from werkzeug.wrappers import Request, Response

from api.plain import Plain
from api.servers.log import trace_headers
from api.tracing import Traced
from telemetry.traces import HEADER, sampled, under_way
from tests.unit.api.test_plain import BUY, Ours
from tests.unit.telemetry.kept import KeptTraces

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Handed:
    """An application that notes what a record of it would carry."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.headers: Any = "never asked"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.headers = trace_headers()
        return Response("done", self.status)(environ, start_response)


@pytest.mark.parametrize(("chance", "ratio"), [(0.5, 0.5), (0.999, 0.01), (0.0, 0.0)])
def test_a_request_that_is_not_chosen_leaves_no_trace(chance: float, ratio: float) -> None:
    traces, inner = KeptTraces(), Handed()
    assert Client(Traced(inner, traces, ratio, lambda: chance)).get("/").text == "done"
    assert inner.headers is None
    assert traces.spans() == []


def test_what_follows_from_a_chosen_request_carries_its_trace() -> None:
    traces, inner = KeptTraces(), Handed(201)
    path = "/api/v3/events/0f5e3f3e-3f6c-4f39-9f5e-3f3e3f6c4f39/tickets"
    Client(Traced(inner, traces, 0.5, lambda: 0.4)).post(path, headers={HEADER: GIVEN}, buffered=True)

    [span] = traces.spans()
    [(name, value)] = inner.headers
    assert name == HEADER
    assert sampled(value.decode()) is not None
    assert format(span.context.trace_id, "032x") in value.decode()
    assert format(span.context.trace_id, "032x") not in GIVEN, "a client's own trace is not believed"
    assert (span.name, span.kind, span.parent) == ("POST /api/v3/events/{id}/tickets", SpanKind.SERVER, None)
    assert dict(span.attributes or {})["http.response.status_code"] == 201
    assert under_way() is None


def test_a_failed_request_is_told_as_failed_and_the_next_one_is_not_within_it() -> None:
    traces = KeptTraces()

    def breaks(_: Any, __: Any) -> Any:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Client(Traced(breaks, traces, 1.0)).get("/")
    Client(Traced(Handed(503), traces, 1.0)).get("/", buffered=True)

    assert [span.status.status_code for span in traces.spans()] == [StatusCode.ERROR] * 2
    assert under_way() is None


def test_a_span_ends_with_the_last_piece_of_its_answer() -> None:
    traces = KeptTraces()

    @Request.application
    def pieces(_: Request) -> Response:
        return Response(iter(["one", "two"]))

    answer = Client(Traced(pieces, traces, 1.0)).get("/", buffered=False)
    assert traces.spans() == []
    assert answer.get_data(as_text=True) == "onetwo"
    answer.close()
    assert len(traces.spans()) == 1


@pytest.mark.parametrize("is_chosen", [True, False])
def test_whether_a_request_is_traced_is_asked_once_whichever_way_it_goes(is_chosen: bool) -> None:
    traces, asked = KeptTraces(), []
    chances = iter([0.4 if is_chosen else 0.6])
    tracer = Traced(Handed(), traces, 0.5, chances.__next__)

    def quick(request: Plain) -> None:
        asked.append(request)

    request = next(Ours(BUY))
    tracer.before(quick)(request)
    assert asked == ([] if is_chosen else [request])
    run_wsgi_app(tracer, request.environ(), buffered=True)
    assert (len(traces.spans()) == 1) == is_chosen
