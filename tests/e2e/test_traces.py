"""One request is one trace, over Kafka and through PostgreSQL's outbox, read back from a real Zipkin."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from stack.member import HOST
from tests.eventually import eventually
from tests.instance import Instance
from tests.pipeline import Pipeline

Span = dict[str, Any]

A_PURCHASE = {
    "api: post /api/v3/purchases",
    "ledger: ledger",
    "sales: sales",
    "sales: stock",
    "indexer: indexer",
    "notifications: notifications",
    "notifications: mailer",
    "sales: deliveries",
}


class Zipkin:
    """Its API, as far as it is asked here."""

    def __init__(self, pipeline: Pipeline) -> None:
        url = f"http://{HOST}:{pipeline.stack.settings.zipkin_port}/api/v2"
        self._http = httpx.Client(base_url=url, timeout=5, trust_env=False)

    def traces(self, query: str) -> list[list[Span]]:
        answer = self._http.get("/traces", params={"annotationQuery": query, "limit": 50})
        answer.raise_for_status()
        found: list[list[Span]] = answer.json()
        return found


def names(trace: list[Span]) -> set[str]:
    return {f"{span['localEndpoint']['serviceName'].removeprefix('turnstile-')}: {span['name']}" for span in trace}


@pytest.fixture(scope="module")
def zipkin(pipeline: Pipeline) -> Iterator[Zipkin]:
    pipeline.stack.start("zipkin")
    yield Zipkin(pipeline)
    pipeline.stack.stop("zipkin")


@pytest.fixture(scope="module")
def traced(pipeline: Pipeline, zipkin: Zipkin) -> Iterator[httpx.Client]:
    """A client of an API process that traces every request."""
    assert zipkin.traces("nothing=of that kind") == []
    with Instance(pipeline.stack, more={"TURNSTILE_TRACE_RATIO": "1"}) as instance:
        yield httpx.Client(base_url=instance.url, timeout=30, headers=pipeline.http.headers, trust_env=False)


def bought(traced: httpx.Client, event: str, kind: str, account: str) -> str:
    """The id of a purchase of one ticket, made now."""
    body = {"eventId": event, "accountId": account, "lines": [{"ticketTypeId": kind, "quantity": 1}]}
    answer = traced.post("/purchases", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["id"])


def the_trace(zipkin: Zipkin, query: str, expected: set[str]) -> list[Span]:
    """The only trace found, with all these spans."""
    found = zipkin.traces(query)
    assert len(found) == 1
    assert names(found[0]) >= expected
    return found[0]


def test_a_purchase_is_one_trace_from_the_request_to_the_mail_and_the_index(
    pipeline: Pipeline, zipkin: Zipkin, traced: httpx.Client
) -> None:
    event, [kind] = pipeline.event(3)
    purchase = bought(traced, event, kind, pipeline.account())

    trace = eventually(lambda: the_trace(zipkin, f"event={event}", A_PURCHASE), within=40, pause=0.5)
    assert len(zipkin.traces(f"purchase={purchase}")) == 1
    by_id = {span["id"]: span for span in trace}
    [root] = [span for span in trace if "parentId" not in span]
    assert root["name"] == "post /api/v3/purchases"
    assert all(span["parentId"] in by_id for span in trace if span is not root)
    # The API tells the ledger of an event before its first purchase; the purchase's own span is one of two.
    decided = [span for span in trace if span["name"] == "ledger"]
    assert {span["parentId"] for span in decided} == {root["id"]}
    assert {by_id[span["parentId"]]["name"] for span in trace if span["name"] in ("sales", "stock")} == {"ledger"}
    assert {by_id[span["parentId"]]["name"] for span in trace if span["name"] == "indexer"} == {"stock"}
    assert {by_id[span["parentId"]]["name"] for span in trace if span["name"] == "mailer"} == {"notifications"}


def test_a_changed_event_is_one_trace_through_the_outbox_to_the_index_and_the_mail(
    pipeline: Pipeline, zipkin: Zipkin, traced: httpx.Client
) -> None:
    event, [kind] = pipeline.event(3)
    answer = pipeline.buy(event, kind, 1, pipeline.account())
    assert answer.status_code == httpx.codes.CREATED, answer.text
    venue = f"Arena {uuid4().hex[:8]}"

    answer = traced.patch(f"/events/{event}", json={"venue": venue}, headers={"If-Match": "*"})
    assert answer.is_success, answer.text

    expected = {
        "api: patch /api/v3/events/{id}",
        "indexer: indexer",
        "ledger: catalogue",
        "ledger: ledger",
        "notifications: notifications",
        "notifications: mailer",
    }

    def whole() -> bool:
        return any(names(trace) >= expected for trace in zipkin.traces(f"url.path=/api/v3/events/{event}"))

    assert eventually(whole, within=40, pause=0.5)
    # Another change of the row does not go on with it.
    assert pipeline.rows("UPDATE event SET city = 'Wien' WHERE id = %s RETURNING traceparent", event) == [(None,)]


def test_nothing_waits_for_a_zipkin_that_is_away_and_spans_come_again_after(
    pipeline: Pipeline, zipkin: Zipkin, traced: httpx.Client
) -> None:
    event, [kind] = pipeline.event(50)
    account = pipeline.account()
    pipeline.stack.stop("zipkin")
    try:
        for _ in range(20):
            bought(traced, event, kind, account)
    finally:
        pipeline.stack.start("zipkin")
    assert zipkin.traces("nothing=of that kind") == []

    # Each process tries again some seconds after its last failure, and drops its spans until then. The mails of earlier
    # tests may have to go out first.
    def told_again() -> bool:
        event, [kind] = pipeline.event(1)
        bought(traced, event, kind, account)
        return bool(eventually(lambda: the_trace(zipkin, f"event={event}", A_PURCHASE), within=15, pause=0.5))

    assert eventually(told_again, within=150)
