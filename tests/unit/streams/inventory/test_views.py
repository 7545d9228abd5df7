"""The ledger's views over HTTP, asked of a worker that owns the partition and of one that doesn't."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from multidict import MultiDict

from streams.runtime import partition_lists
from streams.runtime.forwarding import FORWARDED_HEADER
from streams.runtime.partition_lists import PartitionList
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web_problems import MEDIA_TYPE, RequestProblem
from tables.messages.commands import DefineEvent
from tests.unit.streams.inventory.view_workers import PARTITIONS, TABLE, ViewWorker, home_of, serving
from tests.unit.tables.ledger_driver import ADA, BOB, EVENT, FLOOR, LedgerDriver, definition, purchase_id, ticket_type

EVENTS = [UUID(int=number << 64) for number in range(1, 13)]
ALL = set(range(PARTITIONS))
MINE = {home_of(EVENT)}


def sales() -> LedgerDriver:
    """Twelve events, in the even ones a purchase of Ada's, and one event with a hold of hers, too."""
    driver = LedgerDriver(batch=1)
    driver.limit_holds(tickets=5)
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2)
    driver.hold(3, account=BOB, seconds=60)
    for number, event in enumerate(EVENTS):
        driver.define(ticket_type(quantity=2), event=event)
        driver.buy(10 + number, [(FLOOR, 2)], account=BOB if number % 2 else ADA, event=event)
    return driver


@pytest.fixture(scope="module")
def table() -> dict[bytes, bytes]:
    return sales().table


@contextmanager
def pair_with(folder: Path, table: dict[bytes, bytes]) -> Iterator[tuple[ViewWorker, ViewWorker]]:
    """The owner of EVENT's partition, and the owner of all others."""
    group: dict[str, dict[str, list[int]]] = {}
    pair = ViewWorker(folder / "0", MINE, group), ViewWorker(folder / "1", ALL - MINE, group)
    for worker in pair:
        worker.store(table)
    with serving(*pair):
        yield pair


@pytest.fixture
def workers(tmp_path: Path, table: dict[bytes, bytes]) -> Iterator[tuple[ViewWorker, ViewWorker]]:
    """A pair that a test may change."""
    with pair_with(tmp_path, table) as pair:
        yield pair


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory, table: dict[bytes, bytes]
) -> Iterator[tuple[ViewWorker, ViewWorker]]:
    """The pair of all tests that only ask."""
    with pair_with(tmp_path_factory.mktemp("asked"), table) as pair:
        yield pair


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, asked: tuple[ViewWorker, ViewWorker]) -> ViewWorker:
    return asked[0 if request.param == "owner" else 1]


def test_any_worker_shows_an_event(worker: ViewWorker) -> None:
    body = worker.get_json(f"/api/event/{EVENT}/")
    assert body["ticketTypes"][0] | {"sold": 2, "held": 2, "available": 6} == body["ticketTypes"][0]


def test_any_worker_shows_what_an_account_has(worker: ViewWorker) -> None:
    body = worker.get_json(f"/api/account/{EVENT}/{ADA}/")
    assert (body["total"], body["held"], body["ticketTypes"]) == (3, 1, [{"ticketType": str(FLOOR), "count": 3}])


def test_any_worker_shows_a_purchase_with_its_history(worker: ViewWorker) -> None:
    body = worker.get_json(f"/api/purchase/{EVENT}/{purchase_id(1)}/")
    assert (body["status"], body["lines"][0]["price"]) == ("confirmed", "49.90")
    assert [decision["kind"] for decision in body["history"]] == ["confirmed"]


def test_any_worker_tells_which_purchases_are_on_record(worker: ViewWorker) -> None:
    known, unknown = purchase_id(1).hex, purchase_id(99).hex
    assert worker.get_json(f"/api/purchases/{EVENT}/{known},{unknown}/") == [known]


def test_any_worker_tells_the_definitions_by_which_events_sell(worker: ViewWorker) -> None:
    body = worker.get_json(f"/api/definitions/{home_of(EVENT)}/{EVENT.hex},{BOB.hex}/")
    assert msgspec.convert(body, list[DefineEvent]) == [DefineEvent(EVENT, 1, definition(ticket_type()))]


@pytest.mark.parametrize("path", [f"0/{EVENT},x", f"4/{EVENT}", f"0/{','.join([EVENT.hex] * 51)}"])
def test_definitions_are_told_for_some_events_of_a_partition(worker: ViewWorker, path: str) -> None:
    assert worker.get(f"/api/definitions/{path}/").status_code == 404


def test_any_worker_tells_how_far_a_partition_is(worker: ViewWorker) -> None:
    body = worker.get_json(f"/api/partition/{home_of(EVENT)}/")
    assert (body["decided"], body["committed"], body["end"], body["lag"]) == (3, 3, 9, 6)
    assert body["holdLimits"] == {"kind": "limit-holds", "maxTickets": 5}


def test_any_worker_tells_who_owns_what(asked: tuple[ViewWorker, ViewWorker], worker: ViewWorker) -> None:
    owner, other = asked
    owners = {each["partition"]: each["owner"] for each in worker.get_json("/api/partitions/")["items"]}
    assert owners == {number: owner.url if number in MINE else other.url for number in ALL}
    assert {each["worker"]: each["partitions"] for each in worker.get_json("/api/workers/")["items"]} == {
        owner.url: sorted(MINE),
        other.url: sorted(ALL - MINE),
    }


def test_a_worker_tells_what_it_decides_and_what_it_has_copies_of(workers: tuple[ViewWorker, ViewWorker]) -> None:
    workers[0].ledger.table._set_mark(home_of(EVENT), 41)
    body = workers[0].get_json("/api/worker/")
    assert (body["worker"], body["decides"]) == ("worker-0", {str(home_of(EVENT)): 41})
    assert (body["standsBy"], len(body["workers"])) == ({"3": None}, 2)


@pytest.mark.parametrize("limit", [1, 5, 100])
def test_every_event_is_listed_once_whatever_the_page_and_the_worker(worker: ViewWorker, limit: int) -> None:
    pages = list(worker.pages(f"/api/events/?limit={limit}"))
    assert sorted(each["event"] for page in pages for each in page) == sorted(str(each) for each in [EVENT, *EVENTS])
    assert max(map(len, pages)) <= limit


def test_events_are_listed_by_the_state_of_their_ticket_types(worker: ViewWorker) -> None:
    def names(state: str) -> list[str]:
        return [each["event"] for page in worker.pages(f"/api/events/?state={state}") for each in page]

    assert sorted(names("sold_out")) == sorted(map(str, EVENTS))
    assert names("available") == [str(EVENT)]
    assert names("low") == []


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_every_purchase_of_an_account_is_listed_once(worker: ViewWorker, limit: int) -> None:
    pages = list(worker.pages(f"/api/accounts/{ADA}/purchases/?limit={limit}"))
    mine = [1, 2, *range(10, 22, 2)]
    assert sorted(each["purchase"] for page in pages for each in page) == [str(purchase_id(each)) for each in mine]
    assert {each["account"] for page in pages for each in page} == {str(ADA)}


def test_the_purchases_of_an_account_in_one_event_are_listed(worker: ViewWorker) -> None:
    pages = worker.pages(f"/api/accounts/{ADA}/purchases/?event={EVENT}")
    assert [each["purchase"] for page in pages for each in page] == [str(purchase_id(1)), str(purchase_id(2))]


def test_a_page_ends_at_a_number_of_steps_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch, worker: ViewWorker
) -> None:
    monkeypatch.setattr(partition_lists, "STEPS_MAX", 2)
    pages = list(worker.pages("/api/events/?limit=100"))
    assert (max(map(len, pages)), sum(map(len, pages))) == (2, 13)


def test_a_page_ends_at_a_size_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch, worker: ViewWorker) -> None:
    monkeypatch.setattr(partition_lists, "PAGE_MAX_BYTES", 1)
    pages = list(worker.pages("/api/events/?limit=100"))
    assert (max(map(len, pages)), sum(map(len, pages))) == (1, 13)


@pytest.mark.parametrize("limit", [1, 100])
def test_holds_are_listed_by_their_ends_over_all_workers(tmp_path: Path, limit: int) -> None:
    """Ada's ends after ten minutes, Bob's in the same event after one; the others are of another worker."""
    driver = sales()
    records = driver.table | {
        event.bytes + key[16:]: value
        for event in EVENTS[:4]
        for key, value in driver.table.items()
        if key.startswith(EVENT.bytes)
    }
    with pair_with(tmp_path, records) as pair:
        for worker in pair:
            pages = list(worker.pages(f"/api/holds/?limit={limit}"))
            holds = [(each["deadline"], each["event"], each["purchase"]) for page in pages for each in page]
            assert (len(holds), holds, max(map(len, pages)) <= limit) == (10, sorted(set(holds)), True)


def test_holds_are_not_listed_in_part(workers: tuple[ViewWorker, ViewWorker]) -> None:
    """The other worker has just lost a partition that the group's table still gives to it."""
    workers[1].owned.pop()
    assert workers[0].get("/api/holds/").status_code == 503


@pytest.mark.parametrize("last", [str(UUID(int=1)), "ada", "%2e%2e%2fx"])
@pytest.mark.parametrize("path", ["/api/event/{0}/", "/api/account/{1}/{0}/", "/api/purchase/{1}/{0}/"])
def test_what_is_not_known_is_a_problem(worker: ViewWorker, path: str, last: str) -> None:
    answer = worker.get(path.format(last, EVENT))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, MEDIA_TYPE)
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("partition", ["4", "-1", "one", "²", "99999999999999999999"])
def test_a_partition_that_is_none_is_not_known(worker: ViewWorker, partition: str) -> None:
    assert worker.get(f"/api/partition/{partition}/").status_code == 404


def beyond() -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((4, b""))).decode()


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1&limit=2",
        "state=new",
        "cursor=!",
        "cursor=AAAA",
        f"cursor={'A' * 201}",
        f"cursor={beyond()}",
    ],
)
def test_a_wrong_parameter_is_named(worker: ViewWorker, query: str) -> None:
    answer = worker.get(f"/api/events/?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, MEDIA_TYPE)
    assert answer.json()["errors"][0]["pointer"] == f"?{query.partition('=')[0]}"


def test_what_is_no_view_is_a_problem(worker: ViewWorker) -> None:
    assert worker.get("/api/nothing/").json()["type"] == "/problems/not-found"


def test_answers_are_neither_stored_nor_sniffed(worker: ViewWorker) -> None:
    for path in (f"/api/event/{EVENT}/", "/api/nothing/"):
        headers = worker.get(path).headers
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("path", [f"/api/event/{EVENT}/", f"/api/accounts/{ADA}/purchases/", "/api/holds/"])
def test_a_partition_that_nobody_owns_is_on_its_way(tmp_path: Path, path: str) -> None:
    worker = ViewWorker(tmp_path, set(), {})
    with serving(worker):
        answer = worker.get(path)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/partition-unavailable")
    assert answer.headers["Retry-After"] == "1"


def test_a_forwarded_request_is_not_forwarded_again(workers: tuple[ViewWorker, ViewWorker]) -> None:
    answer = workers[1].get(f"/api/event/{EVENT}/", headers={FORWARDED_HEADER: "1"})
    assert answer.status_code == 503


def test_an_owner_that_is_gone_is_not_waited_for(workers: tuple[ViewWorker, ViewWorker]) -> None:
    other = workers[1]
    other._group.clear()
    other._group["http://127.0.0.1:9/"] = {TABLE: sorted(MINE)}
    answer = other.get(f"/api/event/{EVENT}/")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/partition-unavailable")


@pytest.mark.parametrize("recovering", ["first", "again"])
def test_what_is_not_recovered_is_not_told_to_be_unknown(
    workers: tuple[ViewWorker, ViewWorker], recovering: str
) -> None:
    """Else a purchase would be missing for a moment, and an event with purchases could be deleted."""
    state: Any = workers[0].app
    if recovering == "first":
        state.tables.actives_ready = False
    else:
        state.rebalancing = True
    paths = (f"/api/account/{EVENT}/{BOB}/", f"/api/purchase/{EVENT}/{BOB}/", f"/api/event/{EVENT}/", "/api/events/")
    assert {workers[0].get(path).status_code for path in paths} == {503}


class MovingScan:
    """A scan during which the partition moves to another worker."""

    position: bytes | None = b""

    def __init__(self, worker: ViewWorker) -> None:
        self._worker = worker

    def step(self) -> None:
        self._worker.owned.clear()


def test_a_partition_that_moves_while_it_is_listed_is_not_read_on(workers: tuple[ViewWorker, ViewWorker]) -> None:
    owner = workers[0]
    reads = PartitionReads(owner.app, owner.ledger.table)
    request: Any = SimpleNamespace(query=MultiDict(), headers={})
    with pytest.raises(RequestProblem, match="moving"):
        asyncio.run(PartitionList(reads, lambda *_: MovingScan(owner)).answer(request, home_of(EVENT)))
