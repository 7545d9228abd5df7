"""Holding, confirming and giving back over REST; sold-out events; what was sold."""

import csv
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from api.roles import Role
from api.web.csv_export import BOM
from tests.eventually import eventually
from tests.pipeline import Pipeline

Json = dict[str, Any]


def path_of(answer: httpx.Response) -> str:
    """Where the purchase of an answer is, for a client of the pipeline."""
    return answer.headers["Location"].removeprefix("/api/v3")


def hold(pipeline: Pipeline, event: str, kind: str, quantity: int, account: str, **more: Any) -> httpx.Response:
    body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": quantity}], "hold": True} | more
    headers = pipeline.bearer(account) | {"Idempotency-Key": uuid4().hex}
    return pipeline.http.post("/purchases", json=body, headers=headers)


def shelf(pipeline: Pipeline, event: str) -> tuple[int, int]:
    """What of the event's first ticket type is held and sold."""
    [kind] = pipeline.settled(event, 1)["ticketTypes"]
    return kind["held"], kind["sold"]


def test_a_hold_is_confirmed_and_given_back_in_parts(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()
    with pipeline.client(account) as buyer:
        held = hold(pipeline, event, kind, 4, account)
        assert (held.status_code, held.json()["status"]) == (201, "held")
        assert held.json()["deadline"] > held.json()["decidedAt"]
        assert shelf(pipeline, event) == (4, 0)

        sold = [buyer.post(f"{path_of(held)}/confirm") for _ in range(2)]
        assert [(answer.status_code, answer.json()["status"]) for answer in sold] == [(200, "confirmed")] * 2
        codes = [answer.json()["lines"][0]["codes"] for answer in sold]
        assert codes[0] == codes[1]
        assert len(codes[0]) == 4

        back = {"lines": [{"ticketTypeId": kind, "quantity": 1}]}
        for _ in range(3):
            answer = buyer.post(f"{path_of(held)}/cancel", json=back, headers={"Idempotency-Key": "one"})
            assert (answer.status_code, answer.json()["status"]) == (200, "confirmed"), answer.text
            assert ([line["quantity"] for line in answer.json()["lines"]], answer.json()["returned"]) == ([3], 1)
        query = "SELECT status, returned FROM purchase WHERE event_id = %s"
        eventually(lambda: pipeline.rows(query, event) == [("confirmed", 1)], within=30)
        other = {"lines": [{"ticketTypeId": kind, "quantity": 2}]}
        answer = buyer.post(f"{path_of(held)}/cancel", json=other, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 422
        assert shelf(pipeline, event) == (0, 3)

        assert buyer.post(f"{path_of(held)}/cancel").json()["status"] == "cancelled"
        assert buyer.post(f"{path_of(held)}/cancel").json()["status"] == "cancelled"
        assert buyer.post(f"{path_of(held)}/cancel", json=back, headers={"Idempotency-Key": "x"}).status_code == 409
        assert buyer.post(f"{path_of(held)}/confirm").json()["status"] == "confirmed"
        assert shelf(pipeline, event) == (0, 0)


def test_an_account_holds_no_more_no_longer_and_not_again_sooner_than_the_operator_allows(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(300)
    account = pipeline.account()
    first = hold(pipeline, event, kind, 15, account, holdSeconds=3_600)
    assert first.status_code == 201

    over = hold(pipeline, event, kind, 6, account)
    assert (over.status_code, over.json()["type"]) == (409, "/problems/hold-limit-exceeded")
    assert over.json()["figures"] == {"limit": 20, "requested": 6, "held": 15}
    long = hold(pipeline, event, kind, 1, account, holdSeconds=86_400)
    assert long.json()["figures"] == {"limit": 3_600, "requested": 86_400}

    with pipeline.client(account) as buyer:
        assert buyer.post(f"{path_of(first)}/cancel").status_code == 200
    again = hold(pipeline, event, kind, 1, account)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/hold-too-soon")
    assert again.json()["figures"]["retryAt"] > first.json()["decidedAt"]
    assert hold(pipeline, event, kind, 20, pipeline.account()).status_code == 201


def test_an_account_holds_no_more_of_all_events_than_the_operator_allows(pipeline: Pipeline) -> None:
    events = [pipeline.event(20) for _ in range(4)]
    account = pipeline.account()
    for event, [kind] in events[:3]:
        assert hold(pipeline, event, kind, 20, account).status_code == 201

    held = "SELECT count(*) FROM purchase WHERE account_id = %s AND status = 'held'"
    eventually(lambda: pipeline.rows(held, account) == [(3,)], within=20)
    event, [kind] = events[3]
    over = hold(pipeline, event, kind, 1, account)
    assert (over.status_code, over.json()["type"]) == (409, "/problems/overall-hold-limit-exceeded")
    assert over.json()["figures"] == {"limit": 60, "requested": 1, "held": 60}


def test_a_hold_that_ran_out_cannot_be_confirmed(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(2)
    account = pipeline.account()
    held = hold(pipeline, event, kind, 2, account, holdSeconds=1)
    with pipeline.client(account) as buyer:
        eventually(lambda: buyer.get(path_of(held)).json()["status"] == "expired", within=15)
        answer = buyer.post(f"{path_of(held)}/confirm")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-held")
    assert shelf(pipeline, event) == (0, 0)


def test_nobody_else_sees_confirms_or_gives_back_a_purchase(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    held = hold(pipeline, event, kind, 2, pipeline.account())
    with pipeline.client(pipeline.account()) as stranger:
        answers = [
            stranger.get(path_of(held)),
            stranger.post(f"{path_of(held)}/confirm"),
            stranger.post(f"{path_of(held)}/cancel"),
        ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert shelf(pipeline, event) == (2, 0)
    assert pipeline.http.post(f"{path_of(held)}/cancel").json()["status"] == "cancelled"


def test_an_event_can_be_bought_from_as_soon_as_it_is_made_and_changed(pipeline: Pipeline) -> None:
    """Nothing of it depends on how far the change data capture is."""
    account = pipeline.account()
    for _ in range(3):
        event = pipeline.new_event(status="DRAFT")
        kind = pipeline.ticket_type(event, 5)
        assert pipeline.http.patch(f"/events/{event}", json={"status": "ACTIVE"}).is_success
        answer = pipeline.buy(event, kind, 1, account)
        assert answer.status_code == 201, answer.text
        later = pipeline.ticket_type(event, 5)
        assert pipeline.buy(event, later, 1, account).status_code == 201


def refused_early(pipeline: Pipeline, event: str, kind: str) -> Json | None:
    """A refusal that the ledger was not asked for."""
    answer = pipeline.buy(event, kind, 1, pipeline.account())
    body: Json = answer.json()
    assert (answer.status_code, body["type"]) == (409, "/problems/sold-out"), answer.text
    return body if body.get("retryable") else None


def sold(pipeline: Pipeline, event: str, kind: str, quantity: int, account: str) -> bool:
    return pipeline.buy(event, kind, quantity, account, key="mine").status_code == 201


def test_tickets_that_come_back_are_sold_again(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(3)
    first = pipeline.account()
    bought = pipeline.buy(event, kind, 3, first, key="all")
    buyers = [pipeline.account() for _ in range(2)]

    refusal = eventually(lambda: refused_early(pipeline, event, kind), within=10)
    assert refusal is not None
    assert refusal["figures"]["available"] == 0
    # What is decided is told, however sold out the event is.
    again = pipeline.buy(event, kind, 3, first, key="all")
    assert (again.status_code, again.json()["id"]) == (201, bought.json()["id"])

    for buyer, quantity in zip(buyers, (1, 2), strict=True):
        eventually(lambda: refused_early(pipeline, event, kind), within=10)
        back = {"lines": [{"ticketTypeId": kind, "quantity": quantity}]}
        with pipeline.client(first) as client:
            assert client.post(f"{path_of(bought)}/cancel", json=back, headers={"Idempotency-Key": buyer}).is_success
        eventually(partial(sold, pipeline, event, kind, quantity, buyer), within=10)
    assert shelf(pipeline, event) == (0, 3)


def test_an_early_refusal_is_kept_under_no_key(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(1)
    first, second = pipeline.account(), pipeline.account()
    bought = pipeline.buy(event, kind, 1, first)

    def refused() -> bool:
        key = uuid4().hex
        answer = pipeline.buy(event, kind, 1, second, key=key)
        if not answer.json().get("retryable"):
            return False
        with pipeline.client(first) as client:
            assert client.post(f"{path_of(bought)}/cancel").is_success
        eventually(lambda: pipeline.buy(event, kind, 1, second, key=key).status_code == 201, within=5)
        return True

    assert eventually(refused, within=10)


def test_sales_are_listed_for_those_who_may_see_them(pipeline: Pipeline) -> None:
    organizer, buyer = pipeline.account(), pipeline.account()
    event = pipeline.new_event(organizerId=organizer)
    kind = pipeline.ticket_type(event, 10, name="=1+1")
    bought = [pipeline.buy(event, kind, 2, buyer).json()["id"] for _ in range(3)]

    with pipeline.client(buyer) as client:

        def mine() -> list[str]:
            items: list[str] = []
            cursor: Json = {}
            while True:
                page = client.get(f"/accounts/{buyer}/purchases", params={"limit": 2} | cursor).json()
                items += [item["id"] for item in page["items"]]
                if "next" not in page:
                    return items
                cursor = {"cursor": page["next"]}

        assert eventually(lambda: len(found := mine()) == 3 and found, within=20) == bought[::-1]
        assert client.get(f"/events/{event}/sales").status_code == 403

    with pipeline.client(organizer, Role.ORGANIZER) as client:
        shown = client.get(f"/events/{event}/sales").json()
        assert [(sold["sold"], sold["revenue"]["amount"]) for sold in shown["ticketTypes"]] == [(6, "63.00")]
        table = client.get(f"/events/{event}/sales.csv")
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(table.text.removeprefix(BOM).splitlines()))
        assert [(row["purchase"], row["quantity"]) for row in rows] == [(purchase, "2") for purchase in bought]
        assert {row["name"] for row in rows} == {"'=1+1"}
        assert client.get(f"/accounts/{buyer}/purchases").status_code == 403
