"""A hall over REST and its pages, end to end: generated, sold by name and as the best seats, lost, given back."""

from base64 import b64decode
from typing import Any
from uuid import uuid4

import httpx

from api.roles import Role
from tests.eventually import eventually
from tests.pipeline import NOBODY, Pipeline


def generate(pipeline: Pipeline, event: str, kind: str, rows: int, seats: int) -> httpx.Response:
    section = {"name": "A", "category": kind, "rows": rows, "seatsPerRow": seats}
    with pipeline.client(NOBODY, Role.ADMINISTRATOR) as client:
        return client.post(f"/events/{event}/seating/generate", json={"sections": [section]}, headers={"If-Match": "*"})


def order(pipeline: Pipeline, event: str, kind: str, account: str, **line: Any) -> httpx.Response:
    body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 2} | line]}
    with pipeline.client(account) as client:
        return client.post("/purchases", json=body, headers={"Idempotency-Key": uuid4().hex, "Prefer": "wait=20"})


def taken(pipeline: Pipeline, event: str) -> int:
    with pipeline.client(NOBODY) as client:
        [section] = client.get(f"/events/{event}/seats").json()["sections"]
    return int.from_bytes(b64decode(section["taken"]), "little")


def test_a_hall_is_sold_seat_by_seat(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(100)
    ada, ben = pipeline.account(), pipeline.account()
    assert generate(pipeline, event, kind, 2, 4).status_code == 200

    by_name = order(pipeline, event, kind, ada, seats=["A-A-1", "A-A-2"])
    assert by_name.status_code == 201, by_name.text
    assert by_name.json()["lines"][0]["seats"] == ["A-A-1", "A-A-2"]
    lost = order(pipeline, event, kind, ben, seats=["A-A-2", "A-A-3"])
    assert (lost.status_code, lost.json()["type"]) == (409, "/problems/seat-taken")
    assert lost.json()["figures"]["seats"] == ["A-A-2"]
    assert lost.json()["figures"]["nearest"]
    best = order(pipeline, event, kind, ben, best={})
    assert best.json()["lines"][0]["seats"] == ["A-A-3", "A-A-4"]
    counted = order(pipeline, event, kind, ben)
    assert counted.json()["type"] == "/problems/seats-required"
    eventually(lambda: taken(pipeline, event) == 0b1111, within=20)

    refused = generate(pipeline, event, kind, 1, 3)
    assert (refused.status_code, refused.json()["seats"]) == (409, ["A-A-4"])
    with pipeline.client(ben) as client:
        cancelled = client.post(
            f"/purchases/{best.json()['id']}/cancel",
            json={"seats": ["A-A-4"]},
            headers={"Idempotency-Key": "back", "Prefer": "wait=20"},
        )
    assert cancelled.json()["lines"][0]["seats"] == ["A-A-3"]
    eventually(lambda: taken(pipeline, event) == 0b111, within=20)
    page = httpx.get(f"{pipeline.api}/events/{event}/seats").text
    assert page.count(" disabled") == 3
