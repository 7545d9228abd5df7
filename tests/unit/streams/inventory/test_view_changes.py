"""Waiting for a change of an event or a purchase: ETag, ``?wait=``, server-sent events."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from streams.runtime import event_streams, record_reads
from tests.eventually import eventually
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.tables.ledger_driver import ADA, EVENT, LedgerDriver, purchase_id, ticket_type

HOME = home_of(EVENT)
STOCK = f"/api/event/{EVENT}/"
STREAM = f"/api/event/{EVENT}/stream/"


class Sale:
    """A worker with an event that is on sale, and another one that knows where it is."""

    def __init__(self, folder: Path) -> None:
        group: dict[str, dict[str, list[int]]] = {}
        self.owner = ViewWorker(folder / "0", {HOME}, group)
        self.other = ViewWorker(folder / "1", set(range(PARTITIONS)) - {HOME}, group)
        self.driver = LedgerDriver(batch=1)
        self.driver.define(ticket_type())
        self.driver.buy(1)
        self.owner.store(self.driver.table)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor()

    def buy(self, number: int) -> None:
        """Buy a ticket, in the loop of the server as the agent does."""
        self.driver.buy(number)
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.owner.store, self.driver.table)

    def later(self, worker: ViewWorker, path: str, **options: Any) -> Future[httpx.Response]:
        """The answer to a request that waits at the owner."""
        answer = self._pool.submit(worker.get, path, **options)
        eventually(lambda: answer.done() or not self.owner.ledger.table.watches.is_idle, within=10)
        return answer


@pytest.fixture
def sale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sale]:
    """Its workers look for the end of a wait or a stream more often than they do otherwise."""
    for module in (record_reads, event_streams):
        monkeypatch.setattr(module, "RECHECK_INTERVAL_S", 0.1)
        monkeypatch.setattr(module, "CHANGE_INTERVAL_S", 0.05)
    monkeypatch.setattr(event_streams, "HEARTBEAT_INTERVAL_S", 0.3)
    sale = Sale(tmp_path)
    with serving(sale.owner, sale.other) as loop:
        sale.loop = loop
        yield sale


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, sale: Sale) -> ViewWorker:
    chosen: ViewWorker = getattr(sale, request.param)
    return chosen


def known(worker: ViewWorker, path: str = STOCK) -> dict[str, str]:
    """The header of a client that has the record."""
    return {"If-None-Match": worker.get(path).headers["ETag"]}


@pytest.mark.parametrize("path", [STOCK, f"/api/purchase/{EVENT}/{purchase_id(1)}/", f"/api/account/{EVENT}/{ADA}/"])
def test_what_a_client_has_is_not_sent_again(worker: ViewWorker, path: str) -> None:
    tag = known(worker, path)["If-None-Match"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = worker.get(path, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)


def test_what_has_changed_is_sent_with_another_tag(sale: Sale, worker: ViewWorker) -> None:
    before = known(worker)
    sale.buy(2)
    eventually(lambda: worker.get(STOCK, headers=before).status_code == 200, within=10)
    assert known(worker) != before


def test_a_client_is_answered_when_the_event_changes(sale: Sale, worker: ViewWorker) -> None:
    answer = sale.later(worker, f"{STOCK}?wait=20", headers=known(worker))
    assert not answer.done()
    sale.buy(2)
    assert answer.result(15).json()["ticketTypes"][0]["sold"] == 2


def test_a_client_is_answered_once_there_is_the_purchase(sale: Sale, worker: ViewWorker) -> None:
    answer = sale.later(worker, f"/api/purchase/{EVENT}/{purchase_id(2)}/?wait=20")
    assert not answer.done()
    sale.buy(2)
    assert answer.result(15).json()["status"] == "confirmed"


def test_a_wait_ends_without_a_change(worker: ViewWorker) -> None:
    assert worker.get(f"{STOCK}?wait=0.1", headers=known(worker)).status_code == 304
    assert worker.get(f"/api/purchase/{EVENT}/{purchase_id(2)}/?wait=0.1").status_code == 404


def test_a_wait_ends_when_the_partition_moves(sale: Sale) -> None:
    answer = sale.later(sale.owner, f"{STOCK}?wait=20", headers=known(sale.owner))
    sale.owner.owned.clear()
    assert answer.result(15).status_code == 503


def test_a_wait_ends_when_the_worker_stops(sale: Sale) -> None:
    answer = sale.later(sale.owner, f"{STOCK}?wait=20", headers=known(sale.owner))
    stop(sale.owner)
    assert answer.result(15).status_code == 304


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "soon"])
def test_a_wait_has_a_bound(worker: ViewWorker, wait: str) -> None:
    answer = worker.get(f"{STOCK}?wait={wait}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?wait")


def test_the_number_of_waits_and_of_streams_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(record_reads, "WAITS_MAX", 0)
    monkeypatch.setattr(event_streams, "STREAMS_MAX", 0)
    sale = Sale(tmp_path)
    with serving(sale.owner):
        answers = [sale.owner.get(path) for path in (f"{STOCK}?wait=1", STREAM, STOCK)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json()["type"] == "/problems/busy"


def stop(worker: ViewWorker) -> None:
    """What Faust notes first when a worker is told to stop."""
    worker.app._stopped.set()


def messages(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """The ids and data of a stream."""
    tag = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            tag = value
        elif name == "data":
            yield tag, json.loads(value)


def test_a_stream_begins_with_the_stock_and_goes_on_with_every_change(sale: Sale, worker: ViewWorker) -> None:
    with worker.client.stream("GET", f"{worker.url}{STREAM}") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        stream = messages(answer.iter_lines())
        seen = [next(stream)]
        for number in (2, 3):
            sale.buy(number)
            seen.append(next(stream))
    assert [data["ticketTypes"][0]["sold"] for _, data in seen] == [1, 2, 3]
    assert len({tag for tag, _ in seen}) == 3


def test_a_client_that_comes_back_gets_only_what_is_new(sale: Sale, worker: ViewWorker) -> None:
    tag = known(worker)["If-None-Match"].strip('"')
    with worker.client.stream("GET", f"{worker.url}{STREAM}", headers={"Last-Event-ID": tag}) as answer:
        sale.buy(2)
        _, data = next(messages(answer.iter_lines()))
    assert data["ticketTypes"][0]["sold"] == 2


def test_a_stream_without_a_change_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch, worker: ViewWorker) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_INTERVAL_S", 0.1)
    with worker.client.stream("GET", f"{worker.url}{STREAM}") as answer:
        assert any(line.startswith(":") for line in answer.iter_lines())


def test_a_stream_ends_after_a_while(monkeypatch: pytest.MonkeyPatch, worker: ViewWorker) -> None:
    monkeypatch.setattr(event_streams, "STREAM_MAX_S", 0.0)
    assert worker.get(STREAM).content == b""


@pytest.mark.parametrize("reason", ["owner stops", "this one stops", "moved"])
def test_a_stream_ends(sale: Sale, worker: ViewWorker, reason: str) -> None:
    with worker.client.stream("GET", f"{worker.url}{STREAM}") as answer:
        lines = answer.iter_lines()
        next(messages(lines))
        if reason == "moved":
            sale.owner.owned.clear()
        else:
            stop(sale.owner if reason == "owner stops" else worker)
        for _ in lines:
            pass


def test_a_stream_of_no_event_is_a_problem(worker: ViewWorker) -> None:
    unknown = next(each for each in (UUID(int=number) for number in range(99)) if home_of(each) == HOME)
    assert worker.get(f"/api/event/{unknown}/stream/").json()["type"] == "/problems/not-found"


def test_the_headers_of_a_stream_are_told_alone(worker: ViewWorker) -> None:
    for _ in range(2):  # the second one by the same connection
        answer = worker.client.head(f"{worker.url}{STREAM}", timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert worker.get(STOCK).status_code == 200


def test_a_client_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullResponse:
        async def write(self, data: bytes) -> None:
            await asyncio.Event().wait()

    response: Any = FullResponse()
    monkeypatch.setattr(event_streams, "WRITE_TIMEOUT_S", 0)
    with pytest.raises(TimeoutError):
        asyncio.run(event_streams._write(response, b"x"))
