"""An event on sale, a signed-in reader, and a ledger that accepts everything."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.unit.api.fakes.world import World
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader, make_account


@pytest.fixture
def reader(world: World) -> Reader:
    """Ada, signed in."""
    make_account(world, email="ada@buyer.example")
    reader = Reader(world)
    assert reader.sign_in("ada@buyer.example").status_code == 303
    return reader


@pytest.fixture
def ledger(world: World) -> Ledger:
    """A ledger that decides at once."""
    return Ledger(world)


@pytest.fixture
def on_sale(client: FlaskClient, event_body: dict[str, Any]) -> dict[str, Any]:
    """An ACTIVE event with two ticket types."""
    kinds = [
        {"name": name, "price": {"amount": amount, "currency": "EUR"}, "quantity": 100, "position": place}
        for place, (name, amount) in enumerate((("Stalls", "49.9"), ("Gallery", "19")))
    ]
    more = {"status": "ACTIVE", "venue": "Musikverein", "city": "Wien", "ticketTypes": kinds, "maxPerOrder": 8}
    answer = client.post("/api/v3/events", json=event_body | more)
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    listed = client.get(f"/api/v3/events/{found['id']}/tickets").get_json()["items"]
    return found | {"tickets": listed}


def ticket(event: dict[str, Any], place: int = 0) -> UUID:
    """The id of one of the event's ticket types."""
    return UUID(event["tickets"][place]["id"])
