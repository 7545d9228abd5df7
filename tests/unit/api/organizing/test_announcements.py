"""What the ticket office is told of an event."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from api.organizing.changes import announcement
from tables.messages.commands import DefineEvent
from tables.messages.statuses import EventStatus
from tests.unit.api.fakes.world import World


def test_an_announcement_is_a_definition_with_all_ticket_types(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.patch(f"/api/v3/events/{event['id']}", json={"status": "ACTIVE", "maxPerOrder": 4})
    payload = msgspec.json.decode(announcement(world.events.announced[-1]))
    assert sorted(payload) == ["definition", "event", "version"]
    told = msgspec.convert(payload | {"kind": "define-event"}, DefineEvent)
    assert (str(told.event), told.version, told.definition.status) == (event["id"], 3, EventStatus.ACTIVE)
    assert (told.definition.title, told.definition.max_per_order) == ("Winterreise", 4)
    [kind] = told.definition.ticket_types
    assert (str(kind.id), str(kind.price), kind.currency, kind.quantity) == (ticket["id"], "49.90", "EUR", 100)


def test_every_change_is_announced_once_under_the_next_version(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.patch(f"/api/v3/events/{event['id']}", json={"title": "Die schöne Müllerin"})
    client.put(f"/api/v3/tickets/{ticket['id']}", json={"name": "x", "price": ticket["price"], "quantity": 1})
    assert [listing.event.version for listing in world.events.announced] == [1, 2, 3, 4]


@pytest.mark.parametrize(("sale_ends", "told"), [(None, 0), (timedelta(hours=-3), -3), (timedelta(days=1), 0)])
def test_no_sale_lasts_longer_than_its_event(
    world: World, client: FlaskClient, event: dict[str, Any], sale_ends: timedelta | None, told: int
) -> None:
    ends = datetime.fromisoformat(event["endsAt"])
    body: dict[str, Any] = {"name": "Stalls", "price": {"amount": "1", "currency": "EUR"}, "quantity": 1}
    if sale_ends is not None:
        body["saleEndsAt"] = (ends + sale_ends).isoformat()
    assert client.post(f"/api/v3/events/{event['id']}/tickets", json=body).status_code == 201
    payload = msgspec.json.decode(announcement(world.events.announced[-1]))
    [kind] = msgspec.convert(payload | {"kind": "define-event"}, DefineEvent).definition.ticket_types
    assert kind.sale_ends_at == ends + timedelta(hours=told)
