"""An application on fakes, and a client of it that speaks JSON."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from api.pages import purchase_status
from api.paying import payments, refunds
from api.roles import Role
from tests.unit.api.fakes.world import World, make_world

BASE = "/api/v3"


@pytest.fixture(scope="session", autouse=True)
def _fakes_answer_at_once() -> Iterator[None]:
    """What a fake has not told is not waited for."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(payments, "WAIT_S", 0.0)
        patched.setattr(refunds, "POLL_PAUSES_S", (0.0,))
        patched.setattr(purchase_status, "POLL_PAUSES_S", (0.0, 0.0))
        yield


@pytest.fixture
def world() -> World:
    """Fresh fakes."""
    return make_world()


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A client of the application on the fakes, signed in as an administrator."""
    return world.client(UUID(int=0), Role.ADMINISTRATOR)


@pytest.fixture
def account(client: FlaskClient) -> dict[str, Any]:
    """An account made through the API."""
    body = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example"}
    answer = client.post(f"{BASE}/accounts", json=body)
    assert answer.status_code == 201
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def event_body(account: dict[str, Any]) -> dict[str, Any]:
    """What a request for a plain event says."""
    return {
        "organizerId": account["id"],
        "title": "Winterreise",
        "startsAt": "2030-05-17T20:00:00+02:00",
        "endsAt": "2030-05-17T22:30:00+02:00",
        "timeZone": "Europe/Vienna",
    }


@pytest.fixture
def event(client: FlaskClient, event_body: dict[str, Any]) -> dict[str, Any]:
    """An event made through the API."""
    answer = client.post(f"{BASE}/events", json=event_body)
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def ticket(client: FlaskClient, event: dict[str, Any]) -> dict[str, Any]:
    """A ticket type made through the API."""
    body = {"name": "Stalls", "price": {"amount": "49.9", "currency": "EUR"}, "quantity": 100}
    answer = client.post(f"{BASE}/events/{event['id']}/tickets", json=body)
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found
