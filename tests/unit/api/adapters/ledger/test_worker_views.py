"""Any worker answers for all: the next is asked where one is gone or on its way."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.adapters.ledger.worker_views import AnyWorker, WorkerViews, recorded_definitions
from api.problems import Unavailable
from connect.partitioning import home_of
from settings import Settings
from tables.messages.commands import DefineEvent
from tests.unit.tables.ledger_driver import definition, ticket_type

URLS = ["http://one:6066", "http://two:6067", "http://three:6068"]
SETTINGS = Settings(ticket_key="k" * 32)


class Workers(httpx.BaseTransport):
    """What each worker says, by host; None where it can't be reached, 0 where it hangs."""

    def __init__(self, says: Mapping[str, int | None]) -> None:
        self.says = dict(says)
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        status = self.says[request.url.host]
        if status is None:
            raise httpx.ConnectError("refused")
        if status == 0:
            raise httpx.ReadTimeout("hangs")
        return httpx.Response(status, json={"port": request.url.port, "path": request.url.path})


def client(workers: Workers) -> httpx.Client:
    return httpx.Client(base_url=URLS[0], transport=AnyWorker(URLS, workers))


def test_the_first_is_asked_while_it_answers() -> None:
    workers = Workers({"one": 200, "two": 200, "three": 200})
    asking = client(workers)
    assert [asking.get("/api/x/").status_code for _ in range(3)] == [200] * 3
    assert workers.asked == ["one"] * 3


@pytest.mark.parametrize("gone", [None, 503])
def test_the_next_is_asked_where_one_cannot_answer_and_stays_the_first_to_be_asked(gone: int | None) -> None:
    workers = Workers({"one": gone, "two": 200, "three": 200})
    asking = client(workers)
    assert asking.get("/api/x/").json() == {"port": 6067, "path": "/api/x/"}
    workers.says["one"] = 200
    assert asking.get("/api/x/").json()["port"] == 6067
    workers.says["two"] = None
    assert asking.get("/api/x/").json()["port"] == 6068
    workers.says["three"] = None
    assert asking.get("/api/x/").json()["port"] == 6066
    workers.says["one"] = None
    workers.says["three"] = 200  # the last in turn
    workers.asked.clear()
    assert [asking.get("/api/x/").json()["port"] for _ in range(2)] == [6068] * 2
    assert workers.asked == ["one", "two", "three", "three"]


def test_a_worker_that_hangs_is_not_waited_for_again_for_a_while() -> None:
    workers, now = Workers({"one": 0, "two": 0, "three": 0}), [0.0]
    asking = httpx.Client(base_url=URLS[0], transport=AnyWorker(URLS, workers, lambda: now[0]))
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            asking.get("/api/x/")
    assert workers.asked == ["one", "two", "three", "three"]
    now[0], workers.says["two"] = 5.0, 200
    workers.asked.clear()
    assert [asking.get("/api/x/").json()["port"] for _ in range(2)] == [6067] * 2
    assert workers.asked == ["three", "one", "two", "two"]


def test_a_worker_without_the_view_of_definitions_is_no_ledger_without_events() -> None:
    views = WorkerViews(SETTINGS)
    views._client = client(Workers({"one": 404, "two": 404, "three": 404}))
    with pytest.raises(Unavailable):
        views.definitions(0, [UUID(int=1)])


class Proxy(httpx.BaseTransport):
    """What answers for the workers, but is none."""

    def __init__(self, says: bytes) -> None:
        self.says = says

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self.says)


@pytest.mark.parametrize("says", [b"", b"<html>", b"\xff", b"7", b'["x"]', b"[" * 100_000])
def test_an_answer_that_no_worker_wrote_is_none(says: bytes) -> None:
    views = WorkerViews(SETTINGS)
    views._client = httpx.Client(base_url=URLS[0], transport=Proxy(says))
    event = UUID(int=1)
    for ask in (
        lambda: views.stock(event),
        lambda: views.purchase(event, event),
        lambda: views.on_record(event, [event]),
        lambda: views.definitions(0, [event]),
    ):
        with pytest.raises(Unavailable):
            ask()


@pytest.mark.parametrize("says", [b"{}", b'{"ticketTypes":[{}]}', b'{"ticketTypes":7}'])
def test_a_view_without_the_stock_of_an_event_is_no_answer(says: bytes) -> None:
    views = WorkerViews(SETTINGS)
    views._client = httpx.Client(base_url=URLS[0], transport=Proxy(says))
    with pytest.raises(Unavailable):
        views.stock(UUID(int=1))


def test_not_found_is_an_answer() -> None:
    views = WorkerViews(SETTINGS)
    views._client = client(Workers({"one": 404, "two": 200, "three": 200}))
    event = UUID(int=1)
    assert (views.purchase(event, event), views.stock(event), views.on_record(event, [event])) == (None, (), set())


def test_a_refusal_is_none() -> None:
    views = WorkerViews(SETTINGS)
    views._client = client(Workers({"one": 401, "two": 200, "three": 200}))
    with pytest.raises(Unavailable):
        views.purchase(UUID(int=1), UUID(int=1))


def test_where_nobody_answers_the_last_ones_word_counts() -> None:
    with pytest.raises(httpx.ConnectError):
        client(Workers({"one": 503, "two": None, "three": None})).get("/api/x/")
    assert client(Workers({"one": None, "two": None, "three": 503})).get("/api/x/").status_code == 503


def test_each_definition_is_asked_of_its_partition_and_unknown_events_are_left_out() -> None:
    events = [UUID(int=number) for number in range(1, 20)]

    class Views:
        def definitions(self, partition: int, events: list[UUID]) -> list[DefineEvent]:
            assert {home_of(event, 4) for event in events} == {partition}
            return [DefineEvent(event, 1, definition(ticket_type())) for event in events if event.int != 4]

    views: Any = Views()
    assert recorded_definitions(views, 4, events).keys() == set(events) - {UUID(int=4)}
