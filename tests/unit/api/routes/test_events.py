"""Events over HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.roles import Role
from tables.messages.statuses import EVENT_TRANSITIONS, EventStatus
from tests.unit.api.fakes.world import World

EVENTS = "/api/v3/events"


def test_an_event_is_a_draft_and_can_be_read_where_it_is(client: FlaskClient, event_body: dict[str, Any]) -> None:
    made = client.post(EVENTS, json=event_body)
    assert made.status_code == 201
    event = client.get(made.headers["Location"]).get_json()
    assert event == made.get_json()
    assert event == {
        "id": event["id"],
        "organizerId": event_body["organizerId"],
        "title": "Winterreise",
        "description": "",
        "venue": "",
        "city": "",
        "tags": [],
        "status": "DRAFT",
        "startsAt": "2030-05-17T18:00:00Z",
        "endsAt": "2030-05-17T20:30:00Z",
        "timeZone": "Europe/Vienna",
        "payment": "none",
        "version": 1,
        "createdAt": "2030-01-02T03:04:05Z",
        "updatedAt": "2030-01-02T03:04:05Z",
    }


def test_an_event_may_be_made_active_with_everything_known(client: FlaskClient, event_body: dict[str, Any]) -> None:
    more = {
        "id": str(uuid4()),
        "status": "ACTIVE",
        "description": "Schubert.",
        "venue": "Musikverein",
        "city": "Wien",
        "country": "AT",
        "latitude": 48.2,
        "longitude": 16,
        "tags": ["lied", "classical", "lied"],
        "capacity": 1700,
        "maxPerOrder": 8,
        "maxPerAccount": 8,
    }
    made = client.post(EVENTS, json=event_body | more)
    assert made.status_code == 201
    assert made.get_json() | more | {"tags": ["lied", "classical"]} == made.get_json()


def test_an_events_name_can_be_asked_alone(client: FlaskClient, event: dict[str, Any]) -> None:
    answer = client.get(f"{EVENTS}/{event['id']}/name")
    assert answer.get_json() == {"id": event["id"], "name": "Winterreise"}
    assert client.get(f"{EVENTS}/{uuid4()}/name").status_code == 404


def test_an_unknown_event_is_not_found_by_any_method(client: FlaskClient) -> None:
    assert client.get(f"{EVENTS}/{uuid4()}").status_code == 404
    assert client.get(f"{EVENTS}/1").status_code == 404
    assert client.patch(f"{EVENTS}/{uuid4()}", json={"title": "x"}).status_code == 404


def test_an_unknown_organizer_is_refused(client: FlaskClient, event_body: dict[str, Any]) -> None:
    answer = client.post(EVENTS, json=event_body | {"organizerId": str(uuid4())})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/organizerId")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "a\0b"}, "/title"),
        ({"title": "\u200b"}, "/title"),
        ({"venue": "\u2060"}, "/venue"),
        ({"city": "\u3164"}, "/city"),
        ({"tags": ["lied", "\u200b"]}, "/tags/1"),
        ({"title": "x" * 201}, "/title"),
        ({"organizerId": "me"}, "/organizerId"),
        ({"status": "SOLD_OUT"}, "/status"),
        ({"startsAt": "2030-05-17T20:00:00"}, "/startsAt"),
        ({"startsAt": "2030-05-17"}, "/startsAt"),
        ({"startsAt": "tomorrow"}, "/startsAt"),
        ({"startsAt": 1900000000}, "/startsAt"),
        ({"startsAt": "1900000000"}, "/startsAt"),
        ({"startsAt": "0001-01-01T00:00:00+14:00"}, "/startsAt"),
        ({"startsAt": None}, "/startsAt"),
        ({"endsAt": "2030-05-17T18:00:00Z"}, ""),
        ({"timeZone": "Mars/Olympus"}, "/timeZone"),
        ({"timeZone": "+02:00"}, "/timeZone"),
        ({"timeZone": "CEST"}, "/timeZone"),
        ({"timeZone": "localtime"}, "/timeZone"),
        ({"country": "at"}, "/country"),
        ({"country": "ZZ"}, "/country"),
        ({"latitude": 91, "longitude": 0}, "/latitude"),
        ({"latitude": True, "longitude": 0}, "/latitude"),
        ({"latitude": 48.2}, ""),
        ({"tags": ["x"] * 21}, "/tags"),
        ({"tags": ["ok", ""]}, "/tags/1"),
        ({"tags": "x"}, "/tags"),
        ({"capacity": -1}, "/capacity"),
        ({"capacity": 1.5}, "/capacity"),
        ({"capacity": "1"}, "/capacity"),
        ({"capacity": True}, "/capacity"),
        ({"maxPerOrder": 0}, "/maxPerOrder"),
        ({"maxPerAccount": 10**30}, "/maxPerAccount"),
        ({"version": 7}, "/version"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    world: World, client: FlaskClient, event_body: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    answer = client.post(EVENTS, json=event_body | change)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]
    assert not world.events.announced


def test_a_change_keeps_what_it_leaves_out_and_raises_the_version(client: FlaskClient, event: dict[str, Any]) -> None:
    answer = client.patch(f"{EVENTS}/{event['id']}", json={"venue": "Konzerthaus", "capacity": 600})
    assert answer.status_code == 200
    assert answer.get_json() == event | {"venue": "Konzerthaus", "capacity": 600, "version": 2}
    tagged = client.patch(f"{EVENTS}/{event['id']}", json={"tags": ["b", "a", "b"]})
    assert tagged.get_json()["tags"] == ["b", "a"]


def test_null_empties_what_may_be_empty_and_nothing_else(client: FlaskClient, event: dict[str, Any]) -> None:
    where = f"{EVENTS}/{event['id']}"
    client.patch(where, json={"capacity": 600})
    assert "capacity" not in client.patch(where, json={"capacity": None}).get_json()
    answer = client.patch(where, json={"title": None})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/title")


def test_a_change_that_breaks_the_whole_is_refused(world: World, client: FlaskClient, event: dict[str, Any]) -> None:
    where = f"{EVENTS}/{event['id']}"
    assert client.patch(where, json={"endsAt": "2030-05-17T18:00:00Z"}).status_code == 422
    assert client.patch(where, json={"latitude": 1.5}).status_code == 422
    assert client.patch(where, json={"organizerId": str(uuid4())}).status_code == 422
    assert len(world.events.announced) == 1


@pytest.mark.parametrize("before", EventStatus)
@pytest.mark.parametrize("after", EventStatus)
def test_a_status_changes_along_the_table_only(
    world: World, client: FlaskClient, event: dict[str, Any], before: EventStatus, after: EventStatus
) -> None:
    [(key, listing)] = world.events.rows.items()
    stored = listing.event.model_copy(update={"status": before})
    world.events.rows[key] = type(listing)(stored, listing.tickets)
    answer = client.patch(f"{EVENTS}/{event['id']}", json={"status": after.value})
    if before == after or after in EVENT_TRANSITIONS[before]:
        assert (answer.status_code, answer.get_json()["status"]) == (200, after.value)
    else:
        problem = answer.get_json()
        assert (answer.status_code, problem["from"], problem["to"]) == (409, before.value, after.value)
        assert before.value in problem["detail"]
        assert after.value in problem["detail"]


def test_a_postponed_event_keeps_the_date_that_it_had(client: FlaskClient, event: dict[str, Any]) -> None:
    where, first, second = f"{EVENTS}/{event['id']}", "2030-05-17T18:00:00Z", "2030-05-20T18:00:00Z"
    ends = {"endsAt": "2030-06-17T20:30:00Z"}
    steps: list[tuple[dict[str, Any], str | None]] = [
        ({"status": "ACTIVE", **ends}, None),
        ({"status": "POSTPONED"}, first),
        ({"startsAt": second}, first),
        ({"startsAt": first}, first),
        ({"startsAt": second}, first),
        ({"status": "ACTIVE"}, first),
        ({"title": "Schwanengesang"}, first),
        ({"status": "POSTPONED", "startsAt": "2030-06-01T18:00:00Z"}, second),
        ({"status": "ACTIVE", "startsAt": second}, None),
    ]
    for change, former in steps:
        assert client.patch(where, json=change).get_json().get("formerStartsAt") == former
    assert client.patch(where, json={"formerStartsAt": first}).status_code == 422


def test_a_replacement_empties_what_it_leaves_out(
    client: FlaskClient, event: dict[str, Any], event_body: dict[str, Any]
) -> None:
    where = f"{EVENTS}/{event['id']}"
    client.patch(where, json={"venue": "Konzerthaus", "capacity": 600, "tags": ["lied"]})
    body = {name: value for name, value in event_body.items() if name != "organizerId"}
    answer = client.put(where, json=body | {"title": "Schwanengesang"})
    assert answer.get_json() == event | {"title": "Schwanengesang", "version": 3}
    assert client.put(where, json=body | {"endsAt": body["startsAt"]}).status_code == 422
    assert client.put(where, json=body | {"status": "ACTIVE"}).status_code == 422


def test_a_draft_is_published(client: FlaskClient, event: dict[str, Any]) -> None:
    answer = client.put(f"{EVENTS}/{event['id']}/status", json={"status": "ACTIVE"})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ACTIVE")
    refused = client.put(f"{EVENTS}/{event['id']}/status", json={"status": "DRAFT"})
    assert (refused.status_code, refused.get_json()["detail"]) == (
        409,
        "an event that is ACTIVE cannot become DRAFT",
    )


def test_a_deleted_event_is_announced_as_cancelled_so_that_it_sells_nothing(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    assert client.delete(f"{EVENTS}/{event['id']}").status_code == 204
    assert client.get(f"{EVENTS}/{event['id']}").status_code == 404
    assert client.get(f"/api/v3/tickets/{ticket['id']}").status_code == 404
    assert client.delete(f"{EVENTS}/{event['id']}").status_code == 404
    last = world.events.announced[-1].event
    assert (last.status, last.version) == (EventStatus.CANCELED, 3)
    known: Any = world.app.extensions["turnstile"].catalogue
    assert known.forgotten == [UUID(event["id"])] * 2  # after the ticket type was added, too


def test_an_event_with_purchases_stays(world: World, client: FlaskClient, event: dict[str, Any]) -> None:
    world.stock.bought.add(UUID(event["id"]))
    answer = client.delete(f"{EVENTS}/{event['id']}")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/has-purchases")
    assert client.get(f"{EVENTS}/{event['id']}").status_code == 200


@pytest.mark.parametrize("what", ["events", "tickets"])
def test_purchases_are_looked_up_without_a_second_connection_while_the_event_is_locked(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], what: str
) -> None:
    seen: list[str] = []

    def heard(called: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            seen.append(name)
            return called(*given)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for place, name in ((world.events, "delete"), (world.events, "change"), (world.stock, "has_purchases")):
            patched.setattr(place, name, heard(getattr(place, name), name))
        assert client.delete(f"/api/v3/{what}/{(event if what == 'events' else ticket)['id']}").status_code == 204
    assert seen == ["has_purchases", "delete" if what == "events" else "change"]


@pytest.mark.parametrize("what", ["events", "tickets"])
def test_what_is_sold_while_a_deletion_waits_for_the_event_is_kept(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], what: str
) -> None:
    deleted = (event if what == "events" else ticket)["id"]
    world.stock.out.add(UUID(deleted))  # not there yet when purchases are looked up
    answer = client.delete(f"/api/v3/{what}/{deleted}")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/has-purchases")
    assert client.get(f"/api/v3/{what}/{deleted}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"venue": "Konzerthaus"}),
        ("PUT", "/seating", {"sections": [{"name": "Yard", "category": "{ticket}"}]}),
        ("DELETE", "", None),
    ],
)
def test_an_event_that_is_somebody_elses_once_it_is_locked_stays(
    world: World, event: dict[str, Any], ticket: dict[str, Any], method: str, path: str, body: Any
) -> None:
    listing = world.events.rows[UUID(event["id"])]
    given_away = replace(listing, event=listing.event.model_copy(update={"organizer_id": uuid4()}))
    world.events.rows[UUID(event["id"])] = given_away
    asked = json.loads(json.dumps(body).replace("{ticket}", ticket["id"]))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.events, "get", lambda _: listing.event)
        caller = world.client(event["organizerId"], Role.ORGANIZER)
        assert caller.open(f"{EVENTS}/{event['id']}{path}", method=method, json=asked).status_code == 404
    assert world.events.rows == {UUID(event["id"]): given_away}


@pytest.mark.parametrize("what", ["events", "tickets"])
def test_a_deletion_of_an_older_version_is_told_so_before_its_purchases(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], what: str
) -> None:
    deleted = (event if what == "events" else ticket)["id"]
    world.stock.bought.add(UUID(deleted))
    answer = client.delete(f"/api/v3/{what}/{deleted}", headers={"If-Match": '"99"'})
    assert (answer.status_code, answer.get_json()["type"]) == (412, "/problems/precondition-failed")


def test_how_an_event_is_paid_changes_only_while_none_of_it_is_out(
    world: World, client: FlaskClient, event: dict[str, Any]
) -> None:
    path = f"{EVENTS}/{event['id']}"
    assert client.patch(path, json={"payment": "online"}).get_json()["payment"] == "online"
    world.stock.out.add(UUID(event["id"]))
    answer = client.patch(path, json={"payment": "none"})
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/payment-mode-fixed")
    assert client.patch(path, json={"title": "Schwanengesang", "payment": "online"}).status_code == 200
    assert client.patch(path, json={"payment": "barter"}).status_code == 422


def test_events_are_listed_by_organizer_and_status(
    world: World, client: FlaskClient, event: dict[str, Any], event_body: dict[str, Any]
) -> None:
    active = client.post(EVENTS, json=event_body | {"status": "ACTIVE"}).get_json()
    other = client.post("/api/v3/accounts", json={"firstName": "B", "lastName": "B", "email": "b@b.example"}).get_json()
    others = client.post(EVENTS, json=event_body | {"organizerId": other["id"], "status": "ACTIVE"}).get_json()

    def listed(asking: FlaskClient, query: str = "") -> set[str]:
        return {item["id"] for item in asking.get(f"{EVENTS}?{query}").get_json()["items"]}

    nobody = world.app.test_client()
    assert listed(client) == {event["id"], active["id"], others["id"]}
    assert listed(nobody) == {active["id"], others["id"]}
    assert listed(world.client(event_body["organizerId"])) == {event["id"], active["id"], others["id"]}
    assert listed(world.client(other["id"]), "status=DRAFT") == set()
    assert listed(client, f"organizerId={other['id']}") == {others["id"]}
    assert listed(client, "status=DRAFT") == {event["id"]}
    assert nobody.get(f"{EVENTS}?status=LATE").get_json()["errors"][0]["pointer"] == "?status"


def test_a_draft_is_seen_by_its_organizer_and_administrators_alone(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    paths = [f"{EVENTS}/{event['id']}{more}" for more in ("", "/name", "/tickets")] + [
        f"/api/v3/tickets/{ticket['id']}"
    ]
    owner, stranger = world.client(event["organizerId"]), world.client(uuid4(), Role.ORGANIZER)
    for path in paths:
        asking = (client, owner, stranger, world.app.test_client())
        assert [it.get(path).status_code for it in asking] == [200, 200, 404, 404]
    client.put(f"{EVENTS}/{event['id']}/status", json={"status": "ACTIVE"})
    for path in paths:
        assert world.app.test_client().get(path).status_code == 200


def test_an_organizer_makes_events_of_their_own_only(
    world: World, account: dict[str, Any], event_body: dict[str, Any]
) -> None:
    organizer = world.client(account["id"], Role.ORGANIZER)
    body = {name: value for name, value in event_body.items() if name != "organizerId"}
    assert organizer.post(EVENTS, json=body).get_json()["organizerId"] == account["id"]
    answer = organizer.post(EVENTS, json=body | {"organizerId": str(uuid4())})
    assert (answer.status_code, answer.get_json()["type"]) == (403, "/problems/forbidden")
