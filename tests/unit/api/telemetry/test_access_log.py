"""The log of accesses names what was asked, how it ended and how long it took, and nobody."""

import asyncio
import logging
from typing import Any

import pytest

from api.telemetry.access_log import AccessLog
from api.telemetry.tracing import TracedApplication, trace_fields
from api.web.raw_response import Receive, Scope, Send
from tests.unit.api.asgi import Answering, ask, awaited
from tests.unit.telemetry.kept import KeptTraces

SECRET = "8f3c-secret"


def test_a_request_is_one_line_without_query_body_or_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "api.telemetry.access_log")
    clock = iter((1.0, 1.25))
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET}
    ask(AccessLog(Answering(201), lambda: next(clock)), "POST", f"/api/v3/sessions?code={SECRET}", SECRET, headers)

    [record] = [each for each in caplog.records if each.name == "api.telemetry.access_log"]
    told: Any = record
    assert (told.method, told.path, told.status, told.ms) == ("POST", "/api/v3/sessions", 201, 250.0)
    assert SECRET not in str(record.__dict__)


def test_an_answer_of_the_fast_path_is_one_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "api.telemetry.access_log")
    clock = iter((1.0, 1.25))
    answer = AccessLog(Answering(201), lambda: next(clock)).take(b"POST", b"/x", {b"cookie": SECRET.encode()}, b"", {})
    assert answer is not None
    assert asyncio.run(awaited(answer)).status == 201
    [record] = [each for each in caplog.records if each.name == "api.telemetry.access_log"]
    told: Any = record
    assert (told.method, told.path, told.status, told.ms) == ("POST", "/x", 201, 250.0)


def test_within_a_trace_its_id_is_known() -> None:
    seen = []

    class Telling(Answering):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(trace_fields())
            await super().__call__(scope, receive, send)

    traces = KeptTraces()
    ask(TracedApplication(Telling(), traces, 1.0))
    ask(TracedApplication(Telling(), traces, 0.0))
    [span] = traces.spans()
    assert seen == [{"trace": format(span.context.trace_id, "032x")}, {}]
