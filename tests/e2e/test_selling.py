"""Selling over REST, end to end: what the reference system got wrong is right here."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from api.roles import Role
from tests.eventually import eventually
from tests.pipeline import NOBODY, Pipeline, purchase_id


def test_a_request_for_more_than_there_is_is_refused_and_takes_nothing(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)

    answer = pipeline.buy(event, kind, 100, pipeline.account())

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/sold-out")
    view = pipeline.view(event)
    assert (view["ticketTypes"][0]["sold"], view["ticketTypes"][0]["available"]) == (0, 5)


def test_sixty_buyers_of_twenty_tickets_get_exactly_twenty(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(20)
    accounts = [pipeline.account() for _ in range(60)]

    with ThreadPoolExecutor(60) as crowd:
        answers = list(crowd.map(lambda account: pipeline.buy(event, kind, 1, account), accounts))

    assert Counter(answer.status_code for answer in answers) == {201: 20, 409: 40}
    view = pipeline.view(event)
    assert (view["ticketTypes"][0]["sold"], view["ticketTypes"][0]["state"]) == (20, "sold_out")
    codes = [code for answer in answers if answer.is_success for code in answer.json()["lines"][0]["codes"]]
    assert len(set(codes)) == 20
    title = pipeline.title(event)
    mails = eventually(lambda: len(found := pipeline.mails(title)) >= 20 and found, within=60)
    assert len(mails) == len({mail["message_id"] for mail in mails}) == 20


def test_ten_senders_of_one_purchase_buy_it_once(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()

    with ThreadPoolExecutor(10) as senders:
        answers = list(senders.map(lambda _: pipeline.buy(event, kind, 2, account, key="one"), range(10)))

    bought = {answer.json()["id"] for answer in answers if answer.status_code in (201, 202)}
    assert bought == {f"{event}.{purchase_id(account, 'one')}"}
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert pipeline.buy(event, kind, 2, account, key="one").status_code == 201
    view = pipeline.view(event)
    assert view["ticketTypes"][0]["sold"] == 2
    # A mail that comes later on the same account's partition shows that no other was to come.
    assert pipeline.buy(event, kind, 1, account, key="two").status_code == 201
    title = pipeline.title(event)
    eventually(lambda: len(pipeline.mails(title)) >= 2, within=60)
    assert len(pipeline.mails(title)) == 2


def test_the_same_key_with_another_body_is_refused(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()
    assert pipeline.buy(event, kind, 1, account, key="mine").status_code == 201

    answer = pipeline.buy(event, kind, 2, account, key="mine")

    assert answer.status_code == 422
    view = pipeline.view(event)
    assert view["ticketTypes"][0]["sold"] == 1


def test_an_event_made_before_any_worker_ran_is_sold(pipeline: Pipeline, early_event: tuple[str, str]) -> None:
    event, kind = early_event
    pipeline.settled(event, 1)

    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201


def test_a_purchase_can_be_read_again_and_is_mailed(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    bought = pipeline.buy(event, kind, 2, pipeline.account(email="reader@buyer.example"))

    read = pipeline.http.get(bought.headers["Location"].removeprefix("/api/v3"))

    assert read.status_code == 200
    assert read.json()["status"] == "confirmed"
    assert read.json()["total"] == {"amount": "21.00", "currency": "EUR"}
    title = pipeline.title(event)
    [mail] = eventually(lambda: pipeline.mails(title), within=60)
    assert mail["to"] == ["reader@buyer.example"]
    row = eventually(lambda: pipeline.rows("SELECT status, total FROM purchase WHERE event_id = %s", event), within=20)
    assert row[0][0] == "confirmed"


def test_a_buyer_who_will_not_wait_gets_the_answer_later(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)

    answer = pipeline.buy(event, kind, 1, pipeline.account(), headers={"Prefer": "respond-async"})

    assert answer.status_code == 202
    later = pipeline.http.get(answer.headers["Location"].removeprefix("/api/v3"), params={"wait": 10})
    assert (later.status_code, later.json()["status"]) == (200, "confirmed")


@pytest.mark.parametrize("quantity", [0, -3, 1.5, "2", 10**12, None])
def test_a_quantity_that_is_none_is_refused_and_nothing_is_written(pipeline: Pipeline, quantity: Any) -> None:
    event, [kind] = pipeline.event(5)

    answer = pipeline.buy(event, kind, quantity, pipeline.account())

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/lines/0/quantity"
    assert [one for one in pipeline.outcomes(event) if one.purchase] == []


def test_an_unknown_buyer_event_or_ticket_type_is_refused_and_takes_nothing(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    nobody = "00000000-0000-4000-8000-000000000000"

    refused = [
        pipeline.buy(event, kind, 1, nobody, headers=pipeline.bearer(NOBODY, Role.ADMINISTRATOR)),
        pipeline.buy(nobody, kind, 1, pipeline.account()),
        pipeline.buy(event, nobody, 1, pipeline.account()),
    ]

    assert all(answer.status_code in (404, 422) for answer in refused), [answer.text for answer in refused]
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in refused)
    view = pipeline.view(event)
    assert view["ticketTypes"][0]["sold"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("startsAt", "tomorrow"), ("timeZone", "Mars/Olympus"), ("status", "SOLD"), ("surprise", 1)],
)
def test_a_wrong_event_is_refused_by_name_and_not_written(pipeline: Pipeline, field: str, value: object) -> None:
    before = pipeline.rows("SELECT count(*) FROM event")
    body = {
        "organizerId": pipeline.account(),
        "title": "Concert",
        "startsAt": "2030-05-17T20:00:00+02:00",
        "endsAt": "2030-05-17T22:00:00+02:00",
        "timeZone": "Europe/Vienna",
    }

    answer = pipeline.http.post("/events", json=body | {field: value})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert pipeline.rows("SELECT count(*) FROM event") == before


def test_malformed_json_is_a_400(pipeline: Pipeline) -> None:
    answer = pipeline.http.post("/events", content=b'{"title":', headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_dependency_is_named_and_up(pipeline: Pipeline) -> None:
    answer = httpx.get(f"{pipeline.api}/health/ready", timeout=10, trust_env=False)

    assert answer.status_code == 200
    assert answer.json()["checks"] == dict.fromkeys(("postgres", "kafka", "elasticsearch", "worker"), "up")
