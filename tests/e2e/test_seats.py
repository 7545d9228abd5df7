"""A hall over REST and its pages, end to end: sold by name and as the best, lost, given back, exchanged, followed."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from itertools import islice
from typing import Any
from uuid import uuid4

import httpx

from api.roles import Role
from stack.member import HOST, get
from tests.eventually import eventually
from tests.pipeline import NOBODY, Json, Pipeline


def generate(pipeline: Pipeline, event: str, kind: str, rows: int, seats: int, *names: str) -> httpx.Response:
    shape = {"category": kind, "rows": rows, "seatsPerRow": seats}
    body = {"sections": [shape | {"name": name} for name in names or ("A",)]}
    with pipeline.client(NOBODY, Role.ADMINISTRATOR) as client:
        return client.post(f"/events/{event}/seating/generate", json=body, headers={"If-Match": "*"})


def order(pipeline: Pipeline, event: str, kind: str, account: str, **line: Any) -> httpx.Response:
    body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 2} | line]}
    with pipeline.client(account) as client:
        return client.post("/purchases", json=body, headers={"Idempotency-Key": uuid4().hex, "Prefer": "wait=20"})


def states(seats: Json) -> dict[str, int]:
    """The bits of the seats that are taken, by section."""
    return {one["name"]: int.from_bytes(b64decode(one["taken"]), "little") for one in seats["sections"]}


def taken(pipeline: Pipeline, event: str) -> int:
    with pipeline.client(NOBODY) as client:
        return states(client.get(f"/events/{event}/seats").json())["A"]


@contextmanager
def changes(client: httpx.Client, event: str, since: int = -1) -> Iterator[Iterator[Json]]:
    """What the server sends of the seats, as it comes, after the event of that id."""
    headers = {"Last-Event-ID": str(since)} if since >= 0 else {}
    with client.stream("GET", f"/events/{event}/seats/changes", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: "))


def next_with(followed: Iterator[Json], **wanted: int) -> Json:
    """The next of the changes after which these sections are so; an unchanged one may come again."""
    known: dict[str, int] = {}
    for change in islice(followed, 4):
        known |= states(change)
        if known.items() >= wanted.items():
            return change
    raise AssertionError(known)


def mailed(pipeline: Pipeline, event: str) -> list[str]:
    """The mails about three orders of seats, once all are there."""
    mails = f"http://{HOST}:{pipeline.stack.settings.mail_port}/mails"
    sent = pipeline.mails(pipeline.title(event))
    return [unescape(get(f"{mails}/{mail['id']}", 5).text) for mail in sent] if len(sent) >= 3 else []


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


def test_an_exchange_is_followed_live_and_page_and_mails_name_the_seats(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(100)
    ada, ben = pipeline.account(), pipeline.account()
    assert generate(pipeline, event, kind, 1, 4, "A", "B").status_code == 200
    with pipeline.client(ben) as client, changes(client, event) as followed:
        next_with(followed, A=0, B=0)
        assert order(pipeline, event, kind, ada, seats=["A-A-1", "A-A-2"]).status_code == 201
        first = next_with(followed, A=0b11)
        bought = order(pipeline, event, kind, ben, best={"section": "B"}).json()
        assert bought["lines"][0]["seats"] == ["B-A-3", "B-A-4"]
        second = next_with(followed, B=0b1100)
        unchanged = client.get(f"/events/{event}/seats")
        again = client.get(f"/events/{event}/seats", headers={"If-None-Match": unchanged.headers["ETag"]})
        assert again.status_code == 304

        path, swap = f"/purchases/{bought['id']}/exchange", {"give": ["B-A-4"], "take": ["B-A-1"]}
        lost = client.post(path, json={"give": ["B-A-3"], "take": ["A-A-2"]}, headers={"Idempotency-Key": "lost"})
        assert (lost.status_code, lost.json()["figures"]["seats"]) == (409, ["A-A-2"])
        swapped = client.post(path, json=swap, headers={"Idempotency-Key": "swap", "Prefer": "wait=20"})
        assert sorted(swapped.json()["lines"][0]["seats"]) == ["B-A-1", "B-A-3"]
        third = next_with(followed, B=0b101)
        assert third["offset"] > second["offset"] > first["offset"]
        assert "A" not in states(third)

        fresh = client.get(f"/events/{event}/seats", headers={"If-None-Match": unchanged.headers["ETag"]})
        assert (fresh.status_code, states(fresh.json())) == (200, {"A": 0b11, "B": 0b101})
        delta = client.get(f"/events/{event}/seats", params={"since": second["offset"]}).json()
        assert states(delta) == {"B": 0b101}
    with pipeline.client(ben) as client, changes(client, event, second["offset"]) as followed:
        assert states(next(followed)) == {"B": 0b101}

    signed_in = {"turnstile": pipeline.bearer(ben)["Authorization"].removeprefix("Bearer ")}
    page = httpx.get(f"{pipeline.api}/purchases/{bought['id']}", cookies=signed_in, trust_env=False).text
    assert "Section B, row A, seat 1" in page
    assert "Section B, row A, seat 4" not in page
    mails = eventually(lambda: mailed(pipeline, event), within=60)
    assert any("Section A, row A, seat 1" in mail for mail in mails)
    assert any("Section B, row A, seat 1" in mail for mail in mails)
