"""The log of accesses names what was asked, how it ended and how long it took, and nobody."""

import logging
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from api.accesses import Accesses
from api.tracing import Traced, traced
from tests.unit.telemetry.kept import KeptTraces

SECRET = "8f3c-secret"


def test_a_request_is_one_line_without_query_body_or_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = iter((1.0, 1.25))
    application = Accesses(Response("made", 201), lambda: next(clock))
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET}
    Client(application).post(f"/api/v3/sessions?code={SECRET}", data=SECRET, headers=headers)

    [record] = caplog.records
    told: Any = record
    assert (told.method, told.path, told.status, told.ms) == ("POST", "/api/v3/sessions", 201, 250.0)
    assert SECRET not in str(record.__dict__)


def test_within_a_trace_its_id_is_known() -> None:
    seen = []

    def application(environ: Any, start_response: Any) -> Any:
        seen.append(traced())
        return Response("")(environ, start_response)

    traces = KeptTraces()
    Client(Traced(application, traces, 1.0)).get("/", buffered=True)
    Client(Traced(application, traces, 0.0)).get("/", buffered=True)
    [span] = traces.spans()
    assert seen == [{"trace": format(span.context.trace_id, "032x")}, {}]
