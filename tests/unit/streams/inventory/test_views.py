"""The web pages of a worker; table and pages are real, Kafka is a fake."""

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from connect.topics import COMMANDS, changelog
from streams.inventory.ledger import LedgerAgent
from streams.inventory.views import InventoryViews
from streams.runtime.app import App
from streams.runtime.partitioning import partition_of
from tests.unit.tables.ledger_driver import ADA, BOB, EVENT, FLOOR, LedgerDriver, ticket_type

PARTITION = partition_of(str(EVENT).encode(), 4)


class FakeView:
    """Answers as Faust's views do, with data in place of a response."""

    def json(self, value: Any, status: int = 200) -> Any:
        return status, json.loads(json.dumps(value, default=str))


@pytest.fixture
def app(app: App) -> App:
    ends = {TP(COMMANDS, PARTITION): 9}
    committed = {TP(COMMANDS, PARTITION): 3}
    consumer: Any = SimpleNamespace(
        committed=committed.get, start_offset=committed.get, next_readable=lambda _, due: due, highwater=ends.get
    )
    app.consumer = consumer
    actives = {TP(changelog("ledger"), PARTITION)}
    standbys = {TP(COMMANDS, 3), TP(changelog("ledger"), 3)}
    workers: dict[str, Any] = {"http://127.0.0.1:6067/": {}, "http://127.0.0.1:6066/": {}}
    assignor: Any = SimpleNamespace(
        assigned_actives=lambda: actives, assigned_standbys=lambda: standbys, tables_metadata=lambda: workers
    )
    app.assignor = assignor
    tables: Any = app.tables
    tables.actives_ready = True
    return app


@pytest.fixture
def views(app: App) -> Iterator[InventoryViews]:
    ledger = LedgerAgent(app)
    driver = LedgerDriver(batch=1)
    driver.limit_holds(tickets=5)
    driver.define(ticket_type())
    driver.buy(1, [(FLOOR, 2)])
    driver.hold(2)
    ledger.table.store(PARTITION, driver.table)
    yield InventoryViews(app, ledger)
    ledger.table.close()


def get(page: Any, **parts: str) -> tuple[int, Any]:
    request: Any = SimpleNamespace(headers={}, rel_url="/")
    answer: tuple[int, Any] = asyncio.run(page(FakeView(), request, **parts))
    return answer


def test_an_accounts_count_tells_what_it_has_of_an_event(views: InventoryViews) -> None:
    status, body = get(views.account, event=str(EVENT), account=str(ADA))
    assert (status, body["total"], body["ticketTypes"]) == (200, 3, [{"ticketType": str(FLOOR), "count": 3}])
    assert body["held"] == 1


@pytest.mark.parametrize("account", [str(BOB), "ada", "../x"])
def test_an_account_that_has_nothing_is_not_known(views: InventoryViews, account: str) -> None:
    assert get(views.account, event=str(EVENT), account=account)[0] == 404


def test_a_partition_tells_how_far_it_is(views: InventoryViews) -> None:
    status, body = get(views.partition, partition=str(PARTITION))
    assert (status, body["decided"], body["committed"], body["end"], body["lag"]) == (200, 3, 3, 9, 6)
    assert body["holdLimits"] == {"kind": "limit-holds", "maxTickets": 5}


@pytest.mark.parametrize("partition", ["4", "-1", "one", "²", "99999999999999999999"])
def test_a_partition_that_is_none_is_not_known(views: InventoryViews, partition: str) -> None:
    assert get(views.partition, partition=partition)[0] == 404


def test_a_partition_that_nobody_owns_is_on_its_way(views: InventoryViews) -> None:
    assert get(views.partition, partition=str((PARTITION + 1) % 4))[0] == 503


def test_a_worker_tells_what_it_decides_what_it_has_copies_of_and_where_all_workers_are(views: InventoryViews) -> None:
    views.ledger.table._set_mark(PARTITION, 41)
    status, body = get(views.worker)
    assert (status, body) == (
        200,
        {
            "worker": "worker-0",
            "decides": {str(PARTITION): 41},
            "standsBy": {"3": None},
            "workers": ["http://127.0.0.1:6066/", "http://127.0.0.1:6067/"],
        },
    )


@pytest.mark.parametrize("recovering", ["first", "again"])
def test_what_is_not_recovered_is_not_told_to_be_unknown(app: App, views: InventoryViews, recovering: str) -> None:
    """Else a purchase would be missing for a moment, and an event with purchases could be deleted."""
    state: Any = app
    if recovering == "first":
        state.tables.actives_ready = False
    else:
        state.rebalancing = True
    for page, last in ((views.account, {"account": str(BOB)}), (views.purchase, {"purchase": str(BOB)})):
        assert get(page, event=str(EVENT), **last)[0] == 503
    assert get(views.event, event=str(EVENT))[0] == 503
