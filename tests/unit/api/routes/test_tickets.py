"""Ticket types over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.roles import Role
from tables.messages.commands import EVENT_MAX_TICKET_TYPES
from tests.unit.api.fakes.world import World

BASE = "/api/v3"
STALLS = {"name": "Stalls", "price": {"amount": "49.9", "currency": "EUR"}, "quantity": 100}


def test_a_ticket_type_is_written_in_its_currency_and_can_be_read_where_it_is(
    client: FlaskClient, event: dict[str, Any]
) -> None:
    body = STALLS | {"saleStartsAt": "2030-01-01T10:00:00Z", "saleEndsAt": "2030-05-17T20:00:00+02:00"}
    made = client.post(f"{BASE}/events/{event['id']}/tickets", json=body | {"maxPerOrder": 6, "maxPerAccount": 6})
    assert made.status_code == 201
    ticket = client.get(made.headers["Location"]).get_json()
    assert ticket == made.get_json()
    assert ticket["price"] == {"amount": "49.90", "currency": "EUR"}
    assert (ticket["eventId"], ticket["version"], ticket["position"]) == (event["id"], 1, 0)


def test_ticket_types_are_listed_in_their_order_and_raise_the_events_version(
    client: FlaskClient, event: dict[str, Any]
) -> None:
    where = f"{BASE}/events/{event['id']}/tickets"
    client.post(where, json=STALLS | {"position": 2})
    client.post(where, json=STALLS | {"name": "Balcony", "position": 1})
    listed = client.get(where).get_json()
    assert [ticket["name"] for ticket in listed["items"]] == ["Balcony", "Stalls"]
    assert client.get(f"{BASE}/events/{event['id']}").get_json()["version"] == 3


def test_the_old_path_does_the_same(client: FlaskClient, event: dict[str, Any]) -> None:
    old = f"{BASE}/event/{event['id']}/tickets"
    assert client.post(old, json=STALLS).status_code == 201
    assert client.get(old).get_json() == client.get(f"{BASE}/events/{event['id']}/tickets").get_json()


def test_a_replacement_takes_effect_and_is_announced(world: World, client: FlaskClient, ticket: dict[str, Any]) -> None:
    body = {"name": "Parterre", "price": {"amount": "5000", "currency": "JPY"}, "quantity": 0}
    answer = client.put(f"{BASE}/tickets/{ticket['id']}", json=body)
    assert answer.status_code == 200
    assert answer.get_json() == ticket | body | {"version": 2}
    assert [kind.name for kind in world.events.announced[-1].tickets] == ["Parterre"]
    assert world.events.announced[-1].event.version == 3


def test_a_client_may_choose_the_id_once(client: FlaskClient, event: dict[str, Any]) -> None:
    chosen = STALLS | {"id": str(uuid4())}
    assert client.post(f"{BASE}/events/{event['id']}/tickets", json=chosen).status_code == 201
    again = client.post(f"{BASE}/events/{event['id']}/tickets", json=chosen)
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/already-exists")


def test_what_is_unknown_is_not_found(client: FlaskClient) -> None:
    assert client.post(f"{BASE}/events/{uuid4()}/tickets", json=STALLS).status_code == 404
    assert client.get(f"{BASE}/events/{uuid4()}/tickets").status_code == 404
    assert client.get(f"{BASE}/tickets/{uuid4()}").status_code == 404
    assert client.put(f"{BASE}/tickets/{uuid4()}", json=STALLS).status_code == 404


def test_an_event_has_no_more_ticket_types_than_a_definition_may_carry(
    client: FlaskClient, event: dict[str, Any]
) -> None:
    where = f"{BASE}/events/{event['id']}/tickets"
    for _ in range(EVENT_MAX_TICKET_TYPES):
        assert client.post(where, json=STALLS).status_code == 201
    assert client.post(where, json=STALLS).get_json()["type"] == "/problems/too-many-ticket-types"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"quantity": -1}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": "1"}, "/quantity"),
        ({"quantity": 10_000_001}, "/quantity"),
        ({"price": 49.9}, "/price"),
        ({"price": {"amount": 49.9, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "-1", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "1e3", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "٣", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "NaN", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "10000000000", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "49.901", "currency": "EUR"}}, "/price"),
        ({"price": {"amount": "0.5", "currency": "JPY"}}, "/price"),
        ({"price": {"amount": "1", "currency": "EUROS"}}, "/price/currency"),
        ({"price": {"amount": "1", "currency": "XAU"}}, "/price/currency"),
        ({"price": {"amount": "1", "currency": "XXZ"}}, "/price/currency"),
        ({"saleStartsAt": "2030-01-02T00:00:00Z", "saleEndsAt": "2030-01-02T00:00:00Z"}, ""),
        ({"sold": 3}, "/sold"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    world: World, client: FlaskClient, event: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    answer = client.post(f"{BASE}/events/{event['id']}/tickets", json=STALLS | change)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]
    assert len(world.events.announced) == 1


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("1.5", "KWD", "1.500"), ("0", "EUR", "0.00"), ("500", "JPY", "500"), ("9999999999.99", "USD", "9999999999.99")],
)
def test_a_price_has_the_decimals_of_its_currency(
    client: FlaskClient, event: dict[str, Any], amount: str, currency: str, written: str
) -> None:
    body = STALLS | {"price": {"amount": amount, "currency": currency}}
    answer = client.post(f"{BASE}/events/{event['id']}/tickets", json=body)
    assert answer.get_json()["price"] == {"amount": written, "currency": currency}


def test_an_event_may_bring_its_ticket_types_in_one_announcement(
    world: World, client: FlaskClient, event_body: dict[str, Any]
) -> None:
    kinds = [STALLS | {"position": 1, "id": str(uuid4())}, STALLS | {"name": "Balcony"}]
    event = client.post(f"{BASE}/events", json=event_body | {"ticketTypes": kinds}).get_json()
    listed = client.get(f"{BASE}/events/{event['id']}/tickets").get_json()["items"]
    assert [ticket["name"] for ticket in listed] == ["Balcony", "Stalls"]
    assert listed[1]["id"] == kinds[0]["id"]
    [listing] = world.events.announced
    assert (listing.event.version, len(listing.tickets)) == (1, 2)


def test_an_event_with_a_wrong_ticket_type_is_not_made(
    world: World, client: FlaskClient, event_body: dict[str, Any]
) -> None:
    twice = [STALLS | {"id": str(uuid4())}] * 2
    assert client.post(f"{BASE}/events", json=event_body | {"ticketTypes": twice}).status_code == 409
    answer = client.post(f"{BASE}/events", json=event_body | {"ticketTypes": [STALLS, STALLS | {"quantity": -1}]})
    assert answer.get_json()["errors"][0]["pointer"] == "/ticketTypes/1/quantity"
    assert not world.events.announced


def test_a_change_keeps_what_it_leaves_out(world: World, client: FlaskClient, ticket: dict[str, Any]) -> None:
    where = f"{BASE}/tickets/{ticket['id']}"
    changed = client.patch(where, json={"quantity": 3, "saleEndsAt": "2030-05-17T18:00:00Z"}).get_json()
    assert changed == ticket | {"quantity": 3, "saleEndsAt": "2030-05-17T18:00:00Z", "version": 2}
    repriced = client.patch(where, json={"price": {"amount": "5", "currency": "USD"}, "saleEndsAt": None}).get_json()
    assert repriced == ticket | {"quantity": 3, "price": {"amount": "5.00", "currency": "USD"}, "version": 3}
    assert str(world.events.announced[-1].tickets[0].price.exact) == "5.00"
    starts = client.patch(where, json={"saleStartsAt": "2030-05-01T18:00:00Z"}).get_json()
    ends = client.patch(where, json={"saleEndsAt": "2030-05-17T18:00:00Z"}).get_json()
    assert [(each["saleStartsAt"], each.get("saleEndsAt")) for each in (starts, ends)] == [
        ("2030-05-01T18:00:00Z", None),
        ("2030-05-01T18:00:00Z", "2030-05-17T18:00:00Z"),
    ]


def test_of_several_ticket_types_the_one_of_the_path_is_changed_and_deleted(
    world: World, client: FlaskClient, ticket: dict[str, Any]
) -> None:
    types = f"{BASE}/events/{ticket['eventId']}/tickets"
    other = client.post(types, json={"name": "Balcony", "price": ticket["price"], "quantity": 5}).get_json()
    assert client.patch(f"{BASE}/tickets/{other['id']}", json={"quantity": 6}).get_json()["id"] == other["id"]
    assert [each["quantity"] for each in client.get(types).get_json()["items"]] == [ticket["quantity"], 6]
    assert client.delete(f"{BASE}/tickets/{other['id']}").status_code == 204
    assert [each["id"] for each in client.get(types).get_json()["items"]] == [ticket["id"]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"price": None}, "/price"),
        ({"quantity": -1}, "/quantity"),
        ({"saleStartsAt": "2031-01-01T00:00:00Z"}, "/saleEndsAt"),
        ({"id": str(uuid4())}, "/id"),
    ],
)
def test_a_change_that_breaks_a_ticket_type_is_refused(
    client: FlaskClient, ticket: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    where = f"{BASE}/tickets/{ticket['id']}"
    client.patch(where, json={"saleEndsAt": "2030-05-17T18:00:00Z"})
    answer = client.patch(where, json=change)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_deleted_ticket_type_is_no_longer_announced(
    world: World, client: FlaskClient, ticket: dict[str, Any]
) -> None:
    where = f"{BASE}/tickets/{ticket['id']}"
    assert client.delete(where).status_code == 204
    assert (client.get(where).status_code, client.delete(where).status_code) == (404, 404)
    assert world.events.announced[-1].tickets == ()


def test_a_ticket_type_with_purchases_stays(world: World, client: FlaskClient, ticket: dict[str, Any]) -> None:
    world.stock.bought.add(UUID(ticket["id"]))
    answer = client.delete(f"{BASE}/tickets/{ticket['id']}")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/has-purchases")


def test_of_a_hidden_ticket_type_not_even_the_event_is_told(world: World, ticket: dict[str, Any]) -> None:
    stranger = world.client(uuid4(), Role.ORGANIZER)
    unknown = stranger.patch(f"{BASE}/tickets/{uuid4()}", json={"quantity": 1})
    hidden = stranger.patch(f"{BASE}/tickets/{ticket['id']}", json={"quantity": 1})
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert ticket["eventId"] not in hidden.get_data(as_text=True)


def test_ticket_types_are_listed_in_the_order_in_which_they_are_given(
    client: FlaskClient, event_body: dict[str, Any]
) -> None:
    names = [f"type {place}" for place in range(12)]
    kinds = [STALLS | {"name": name} for name in names]
    event = client.post(f"{BASE}/events", json=event_body | {"ticketTypes": kinds}).get_json()
    more = ["later 1", "later 2"]
    for name in more:
        assert client.post(f"{BASE}/events/{event['id']}/tickets", json=STALLS | {"name": name}).status_code == 201
    listed = client.get(f"{BASE}/events/{event['id']}/tickets").get_json()["items"]
    assert [ticket["name"] for ticket in listed] == names + more
