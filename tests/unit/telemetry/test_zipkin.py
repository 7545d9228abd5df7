"""Spans that Zipkin doesn't accept are dropped: nothing waits, nothing fails, and one line is logged."""

import logging
from collections.abc import Sequence

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from telemetry.traces import Traces, make_traces
from telemetry.zipkin import RETRY_PAUSE_S, DroppingExporter

OK, FAILED = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


class Away(SpanExporter):
    """A Zipkin that is unavailable or refuses, as the test sets it."""

    def __init__(self, answer: SpanExportResult | Exception) -> None:
        self.answer = answer
        self.asked = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def shutdown(self) -> None: ...


@pytest.mark.parametrize("answer", [requests.ConnectionError("no"), requests.Timeout("late"), FAILED])
def test_a_zipkin_that_is_away_is_said_once_and_not_asked_for_each_batch(
    answer: SpanExportResult | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    away = Away(answer)
    exporter = DroppingExporter(away, lambda: now[0])

    assert [exporter.export(()) for _ in range(3)] == [FAILED] * 3
    now[0] += RETRY_PAUSE_S
    assert exporter.export(()) is FAILED
    now[0] += RETRY_PAUSE_S
    away.answer = OK
    assert exporter.export(()) is OK
    assert exporter.export(()) is OK

    assert away.asked == 4
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "Zipkin does not accept spans",
        "Zipkin accepts spans again",
    ]


def test_spans_beyond_the_queue_are_dropped_and_ending_does_not_wait_for_zipkin() -> None:
    away = Away(requests.ConnectionError("no"))
    traces = Traces("turnstile-test", DroppingExporter(away), queue_max=20, export_max=10)
    for _ in range(200):
        traces.begin("one of many", SpanKind.INTERNAL, {}).end()
    traces.close()
    assert away.asked == 1


def test_without_a_zipkin_there_are_no_spans() -> None:
    assert make_traces("turnstile-test", None) is None


def test_spans_go_to_the_address_of_the_setting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def post(session: requests.Session, url: str, **_: object) -> requests.Response:
        asked.append((url, session.trust_env))
        answer = requests.Response()
        answer.status_code = 202
        return answer

    monkeypatch.setattr(requests.Session, "post", post)
    traces = make_traces("turnstile-test", "http://127.0.0.1:9411/")
    assert traces is not None
    traces.begin("a request", SpanKind.INTERNAL, {}).end()
    traces.close()
    assert asked == [("http://127.0.0.1:9411/api/v2/spans", False)]
