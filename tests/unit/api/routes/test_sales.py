"""Lists of purchases over HTTP."""

import codecs
import csv
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import msgpack

from api.adapters.postgres.purchase_pages import PurchasePosition
from api.problems import Refused
from api.roles import Role
from api.schemas.pagination import decode_cursor, encode_cursor
from api.schemas.purchase import pending
from tests.unit.api.fakes.world import World

BASE = "/api/v3"


def test_an_account_lists_its_own_purchases_and_nobody_elses(world: World, account: dict[str, Any]) -> None:
    event, mine = uuid4(), UUID(account["id"])
    for owner in (mine, uuid4()):
        purchase = uuid4()
        world.sales.rows[event, purchase] = pending(event, purchase, owner)
    path = f"{BASE}/accounts/{mine}/purchases"
    answer = world.client(mine).get(path)
    assert [item["accountId"] for item in answer.get_json()["items"]] == [str(mine)]
    assert world.client(uuid4()).get(path).status_code == 403
    assert world.app.test_client().get(path).status_code == 401


def test_an_events_sales_are_for_its_organizer(world: World, event: dict[str, Any]) -> None:
    path = f"{BASE}/events/{event['id']}/sales"
    world.client(event["organizerId"], Role.ORGANIZER).patch(f"{BASE}/events/{event['id']}", json={"status": "ACTIVE"})
    assert world.client(event["organizerId"], Role.ORGANIZER).get(path).get_json()["items"] == []
    assert world.client(uuid4(), Role.ADMINISTRATOR).get(path).status_code == 200
    assert world.client(uuid4(), Role.ORGANIZER).get(path).status_code == 404
    assert world.client(event["organizerId"]).get(path).status_code == 403
    assert world.client(uuid4(), Role.ORGANIZER).get(f"{BASE}/events/{uuid4()}/sales").status_code == 404


def test_sales_come_as_a_table_that_no_spreadsheet_runs(world: World, event: dict[str, Any]) -> None:
    world.sales.table = [("p-1", "=HYPERLINK(1)"), ("p-2", 'a "b", c'), ("p-3", "@x"), ("p-4", -5), ("p-5", "＝1")]
    answer = world.client(uuid4(), Role.ADMINISTRATOR).get(f"{BASE}/events/{event['id']}/sales.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="sales-{event["id"]}.csv"'
    assert answer.get_data().startswith(codecs.BOM_UTF8)
    rows = list(csv.reader(answer.get_data().decode("utf-8-sig").splitlines()))
    assert rows == [
        ["purchase", "name"],
        ["p-1", "'=HYPERLINK(1)"],
        ["p-2", 'a "b", c'],
        ["p-3", "'@x"],
        ["p-4", "'-5"],
        ["p-5", "'＝1"],
    ]


def test_the_payments_of_an_event_are_a_table_for_its_organizer(world: World, event: dict[str, Any]) -> None:
    world.sales.table = [("p-1", "21.00")]
    path = f"{BASE}/events/{event['id']}/payments.csv"
    answer = world.client(event["organizerId"], Role.ORGANIZER).get(path)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="payments-{event["id"]}.csv"'
    assert answer.get_data().decode("utf-8-sig").splitlines() == ["purchase,captured", "p-1,21.00"]
    assert world.client(uuid4(), Role.ORGANIZER).get(path).status_code == 404
    assert world.client(event["organizerId"]).get(path).status_code == 403


def test_a_cursor_tells_the_place_it_was_made_of_and_nonsense_is_refused() -> None:
    place = PurchasePosition(datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), uuid4(), uuid4())
    decoder = msgpack.Decoder(PurchasePosition)
    assert decode_cursor(encode_cursor(place), decoder) == place
    assert len(encode_cursor(place)) < 200
    for nonsense in ("x", "e30", "käse", ""):
        with pytest.raises(Refused):
            decode_cursor(nonsense, decoder)
