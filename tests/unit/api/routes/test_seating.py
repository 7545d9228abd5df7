"""Seating plans over HTTP: put, generated, copied, read, deleted, refused; and which seats are taken."""

from base64 import b64decode
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.roles import Role
from tests.unit.api.fakes.world import World

BASE = "/api/v3"
ROW_OF_NOTHING = '{"label":"1","seats":[' + ",".join(["{}"] * 500) + "]}"
SECTION_OF_ROWS = f'{{"name":"A","category":"{UUID(int=1)}","rows":[%s]}}'
BALCONY = {"name": "Balcony", "price": {"amount": "20", "currency": "EUR"}, "quantity": 100}


def where(event: dict[str, Any]) -> str:
    return f"{BASE}/events/{event['id']}/seating"


def plan(ticket: dict[str, Any], seats: int = 3) -> dict[str, Any]:
    """A section of one row."""
    row = {"label": "1", "seats": [{"label": str(number), "x": 10 * number, "y": 0} for number in range(1, seats + 1)]}
    return {"sections": [{"name": "A", "category": ticket["id"], "rows": [row]}]}


def test_a_plan_that_was_put_is_read_as_it_is_and_announced_with_the_next_version(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    body = plan(ticket)
    body["sections"][0]["rows"][0]["seats"][1] |= {"kind": "wheelchair", "obstructed": True, "gapBefore": True}
    body["sections"].append({"name": "Yard", "title": "Standing", "category": add_type(client, event)})
    put = client.put(where(event), json=body)
    assert (put.status_code, put.headers["ETag"]) == (200, '"4"')
    summary = put.get_json()
    assert (summary["plan"], summary["seats"], summary["sections"][1]) == (
        4,
        3,
        {"name": "Yard", "title": "Standing", "seats": 0},
    )
    read = client.get(where(event))
    assert (read.get_json(), read.headers["ETag"]) == (body, '"4"')
    assert client.get(where(event), headers={"If-None-Match": '"4"'}).status_code == 304
    announced = world.events.announced[-1]
    assert (announced.event.version, announced.plan and announced.plan.version) == (4, 4)
    known: Any = world.app.extensions["turnstile"].catalogue
    assert len(known.forgotten) == 3  # after each ticket type, and after the plan


def add_type(client: FlaskClient, event: dict[str, Any]) -> str:
    """Another ticket type of the event."""
    return str(client.post(f"{BASE}/events/{event['id']}/tickets", json=BALCONY).get_json()["id"])


def test_a_change_of_the_event_keeps_its_plan(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    client.patch(f"{BASE}/events/{event['id']}", json={"title": "Sommerreise"})
    announced = world.events.announced[-1]
    assert (announced.event.version, announced.plan and announced.plan.version) == (4, 3)


def test_a_ticket_type_with_seats_stays_until_the_plan_is_gone(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    refused = client.delete(f"{BASE}/tickets/{ticket['id']}")
    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/has-seats")
    assert client.delete(where(event)).status_code == 204
    assert client.get(where(event)).status_code == 404
    assert client.delete(f"{BASE}/tickets/{ticket['id']}").status_code == 204


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda body, _: body["sections"].append(body["sections"][0]), "section A is there twice"),
        (lambda body, _: body["sections"][0]["rows"].append(body["sections"][0]["rows"][0]), "row 1 of section A"),
        (lambda body, _: body["sections"][0]["rows"][0]["seats"][1].update(label="1"), "seat A-1-1 is there twice"),
        (lambda body, _: body["sections"][0].update(category=str(uuid4())), "not a ticket type of the event"),
        (
            lambda body, kind: body["sections"].append({"name": "B", "category": kind}),
            "is sold by seat and in a general section",
        ),
    ],
)
def test_a_plan_that_can_not_be_sold_is_refused_by_name_and_nothing_is_written(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], change: Any, text: str
) -> None:
    body = plan(ticket)
    change(body, ticket["id"])
    answer = client.put(where(event), json=body)
    assert answer.status_code == 422
    [fault] = answer.get_json()["errors"]
    assert fault["pointer"] == "/sections"
    assert text in fault["detail"]
    assert (world.seating.plans, world.events.announced[-1].event.version) == ({}, 2)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "A-1"}, "/sections/0/name"),
        ({"name": "a" * 17}, "/sections/0/name"),
        ({"rows": [{"label": "1", "seats": []}]}, "/sections/0/rows/0/seats"),
        ({"rows": [{"label": "1", "seats": [{"label": "1", "x": 0, "y": -1}]}]}, "/sections/0/rows/0/seats/0/y"),
        ({"rows": [{"label": "", "seats": [{"label": "1", "x": 0, "y": 0}]}]}, "/sections/0/rows/0/label"),
        ({"rows": [{"label": "1", "seats": [{"label": "1,2", "x": 0, "y": 0}]}]}, "/sections/0/rows/0/seats/0/label"),
    ],
)
def test_a_wrong_field_of_a_plan_is_named(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    body = plan(ticket)
    body["sections"][0] |= change
    answer = client.put(where(event), json=body)
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("inside", "errors"),
    [
        # In each of two sections the three fields of the first seat.
        ('"sections":[' + ",".join([SECTION_OF_ROWS % ",".join([ROW_OF_NOTHING] * 100)] * 2) + "]", 6),
        ('"sections":[],' + ",".join(f'"{number}":0' for number in range(50_000)), 1),
    ],
)
def test_a_plan_of_nothing_but_errors_has_a_short_answer(
    client: FlaskClient, event: dict[str, Any], inside: str, errors: int
) -> None:
    answer = client.put(where(event), data=f"{{{inside}}}", content_type="application/json")
    assert (answer.status_code, len(answer.get_json()["errors"])) == (422, errors)


def test_a_plan_may_have_as_many_sections_as_the_ledger_takes(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    row = plan(ticket)["sections"][0]["rows"]
    sections = [{"name": f"S{n}", "category": ticket["id"], "rows": row} for n in range(501)]
    answer = client.put(where(event), json={"sections": sections})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/sections")
    assert client.put(where(event), json={"sections": sections[:500]}).status_code == 200


def test_more_seats_than_can_be_sold_are_refused(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    sections = [{"name": f"S{n}", "category": ticket["id"], "rows": 100, "seatsPerRow": 100} for n in range(11)]
    answer = client.post(f"{where(event)}/generate", json={"sections": sections})
    assert "more than 100000" in answer.get_json()["errors"][0]["detail"]
    sections[0]["rows"] = 101
    answer = client.post(f"{where(event)}/generate", json={"sections": sections})
    assert answer.get_json()["errors"][0]["pointer"] == "/sections/0"


def test_a_seat_that_is_out_stays_as_it_is(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    world.seating.taken[UUID(event["id"])] = {"A-1-2", "A-1-3"}
    moved = plan(ticket)
    moved["sections"][0]["rows"][0]["seats"][1]["x"] = 5
    for body, seats in ((plan(ticket, 1), ["A-1-2", "A-1-3"]), (moved, ["A-1-2"])):
        refused = client.put(where(event), json=body)
        assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/seats-taken")
        assert refused.get_json()["seats"] == seats
    assert client.delete(where(event)).get_json()["seats"] == ["A-1-2", "A-1-3"]
    assert client.get(where(event)).get_json() == plan(ticket)
    grown = plan(ticket, 4)
    grown["sections"][0]["rows"][0]["seats"].pop(0)
    assert client.put(where(event), json=grown).status_code == 200


def test_a_plan_is_changed_by_who_knows_its_version_and_owns_the_event(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    stranger = world.client(uuid4(), Role.ORGANIZER)
    assert stranger.put(where(event), json=plan(ticket)).status_code == 404
    old = client.put(where(event), json=plan(ticket), headers={"If-Match": '"1"'})
    assert (old.status_code, old.get_json()["version"]) == (412, 2)


def test_a_plan_is_copied_by_the_names_of_the_ticket_types(
    client: FlaskClient, event: dict[str, Any], event_body: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    other = client.post(f"{BASE}/events", json=event_body).get_json()
    copied = {"copyFrom": event["id"]}
    refused = client.post(f"{where(other)}/copy", json=copied)
    assert "no ticket type 'Stalls'" in refused.get_json()["errors"][0]["detail"]
    kind = client.post(f"{BASE}/events/{other['id']}/tickets", json=BALCONY | {"name": "Stalls"}).get_json()
    assert client.post(f"{where(other)}/copy", json=copied).status_code == 200
    assert client.get(where(other)).get_json() == plan(kind)
    assert client.post(f"{where(other)}/copy", json={"copyFrom": str(uuid4())}).status_code == 404


def test_a_plan_whose_ticket_type_somebody_deleted_by_sql_is_not_copied(
    world: World, client: FlaskClient, event: dict[str, Any], event_body: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    other = client.post(f"{BASE}/events", json=event_body).get_json()
    listing = world.events.rows[UUID(event["id"])]
    world.events.rows[UUID(event["id"])] = replace(listing, tickets=())
    refused = client.post(f"{where(other)}/copy", json={"copyFrom": event["id"]})
    assert (refused.status_code, ticket["id"] in refused.get_json()["errors"][0]["detail"]) == (422, True)


def test_taken_seats_are_bits_in_the_order_of_the_plan(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    seats = f"{BASE}/events/{event['id']}/seats"
    assert client.get(seats).status_code == 404
    client.put(where(event), json=plan(ticket, 10))
    world.seating.taken[UUID(event["id"])] = {"A-1-1", "A-1-10", "B-1-1"}
    answer = client.get(seats)
    [section] = answer.get_json()["sections"]
    assert b64decode(section.pop("taken")) == bytes([0b1, 0b10])
    assert section == {"name": "A", "seats": 10, "free": 8}
    assert (answer.get_json()["plan"], answer.get_json()["offset"]) == (3, 7)
    assert client.get(seats, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    followed = client.get(f"{seats}/changes?since=5", headers={"Last-Event-ID": "7"})
    assert (followed.mimetype, followed.data) == ("text/event-stream", b"id: 7\ndata: {}\n\n")
    assert client.get(f"{seats}?since=8").get_json()["sections"] == []


def test_a_drawing_says_where_the_seats_of_a_section_are_and_the_others_stay(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    seats = "".join(f'<circle data-seat="1-{n}" cx="{20 * n}" cy="30" r="5"/>' for n in (1, 2))
    body = {"section": "B", "title": "Right", "category": ticket["id"], "svg": f"<svg>{seats}</svg>"}
    answer = client.post(f"{where(event)}/draw", json=body)
    assert answer.status_code == 200, answer.get_json()
    assert [each["seats"] for each in answer.get_json()["sections"]] == [3, 2]
    drawn = client.get(where(event)).get_json()["sections"][1]
    assert (drawn["title"], drawn["rows"][0]["seats"][1]) == ("Right", {"label": "2", "x": 40, "y": 30})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"svg": "<svg><circle data-seat='1-1' r='5'/></svg>"}, "/category"),
        ({"svg": "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>"}, "/svg"),
        ({"svg": "<svg>" + " " * 2**21 + "</svg>"}, "/svg"),
        ({"svg": ""}, "/svg"),
    ],
)
def test_a_drawing_that_makes_no_section_is_refused(
    client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any], body: dict[str, Any], pointer: str
) -> None:
    client.put(where(event), json=plan(ticket))
    answer = client.post(f"{where(event)}/draw", json={"section": "B"} | body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert len(client.get(where(event)).get_json()["sections"]) == 1
    unmatched = client.post(f"{where(event)}/draw", json={"section": "A"} | body, headers={"If-Match": '"1"'})
    assert unmatched.status_code in (412, 422)


def test_a_seat_that_is_sold_is_not_moved_by_a_drawing_and_an_aisle_may_come_beside_it(
    world: World, client: FlaskClient, event: dict[str, Any], ticket: dict[str, Any]
) -> None:
    client.put(where(event), json=plan(ticket))
    world.seating.taken[UUID(event["id"])] = {"A-1-2"}
    moved = {"section": "A", "svg": "<svg><circle data-seat='1-2' cx='99' cy='9' r='5'/></svg>"}
    answer = client.post(f"{where(event)}/draw", json=moved)
    assert (answer.status_code, answer.get_json()["seats"]) == (409, ["A-1-2"])
    body = plan(ticket)
    body["sections"][0]["rows"][0]["seats"][1]["gapBefore"] = True
    assert client.put(where(event), json=body).status_code == 200
