"""The workers' views of seats on real servers: a hall that is sold over REST, asked of a worker."""

from base64 import b64decode
from typing import Any
from uuid import uuid4

from api.roles import Role
from stack.member import get
from tests.eventually import eventually
from tests.pipeline import NOBODY, Json, Pipeline

GENERATED = {"rows": 2, "seatsPerRow": 4, "aislesAfter": [2]}


def put_hall(pipeline: Pipeline, event: str, kind: str, *sections: str) -> None:
    """Put a hall of these sections, and wait until the ledger knows it."""
    body = {"sections": [{"name": name, "category": kind, **GENERATED} for name in sections]}
    with pipeline.client(NOBODY, Role.ADMINISTRATOR) as client:
        answer = client.post(f"/events/{event}/seating/generate", json=body).raise_for_status()
    plan = answer.json()["plan"]
    eventually(lambda: pipeline.view(event)["version"] >= plan, within=30)


def order(pipeline: Pipeline, account: str, path: str, body: Json) -> Json:
    headers = {"Idempotency-Key": uuid4().hex, "Prefer": "wait=20"}
    with pipeline.client(account) as client:
        answer: Json = client.post(path, json=body, headers=headers).raise_for_status().json()
    return answer


def seats(pipeline: Pipeline, event: str, kind: str, account: str, *names: str, **more: Any) -> Json:
    line = {"ticketTypeId": kind, "quantity": len(names), "seats": names}
    return order(pipeline, account, "/purchases", {"eventId": event, "lines": [line], **more})


def section(pipeline: Pipeline, event: str, name: str) -> Json:
    answer: Json = get(f"{pipeline.worker}/api/section/{event}/{name}/").raise_for_status().json()
    return answer


def bits(text: str) -> int:
    return int.from_bytes(b64decode(text), "little")


def test_a_worker_shows_which_seats_of_a_hall_are_held_and_sold(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(100)
    ada = pipeline.account()
    put_hall(pipeline, event, kind, "A", "B")

    bought = seats(pipeline, event, kind, ada, "A-A-1", "A-B-3")
    seats(pipeline, event, kind, ada, "A-A-2", hold=True)
    seats(pipeline, event, kind, ada, "B-B-4")

    # A row is four seats with an aisle in the middle, and ends with a bit of no seat.
    shown = section(pipeline, event, "A")
    assert (shown["held"], shown["sold"], shown["removed"]) == (1, 2, [])
    assert (bits(shown["heldSeats"]), bits(shown["soldSeats"])) == (1 << 1, 1 << 0 | 1 << 9)
    listed = get(f"{pipeline.worker}/api/sections/{event}/").json()
    assert [each["section"] for each in listed["items"]] == ["A", "B"]
    assert (listed["items"][0], listed["next"]) == (shown, None)

    order(pipeline, ada, f"/purchases/{bought['id']}/exchange", {"give": ["A-A-1"], "take": ["A-A-4"]})
    assert bits(section(pipeline, event, "A")["soldSeats"]) == 1 << 4 | 1 << 9
    purchase = get(f"{pipeline.worker}/api/purchase/{'/'.join(bought['id'].split('.'))}/").json()
    assert sorted(purchase["lines"][0]["seats"]) == ["A-A-4", "A-B-3"]
