"""Accounts, events and who may touch them, on real servers."""

from uuid import uuid4

import httpx

from api.roles import Role
from connect.topics import ACCOUNT_ROWS
from tests.eventually import eventually
from tests.pipeline import Pipeline

PASSWORD = "correct horse battery"


def test_a_deleted_account_leaves_the_topic_of_accounts(pipeline: Pipeline) -> None:
    account = pipeline.account(password=PASSWORD)
    eventually(lambda: any(account in str(one.key) for one in pipeline.records(ACCOUNT_ROWS)), within=20)

    with pipeline.client(account) as hers:
        deleted = hers.request("DELETE", f"/accounts/{account}", json={"currentPassword": PASSWORD})
        assert deleted.status_code == httpx.codes.NO_CONTENT
        assert hers.get(f"/accounts/{account}").status_code == httpx.codes.UNAUTHORIZED

    def tombstones() -> int:
        return sum(account in str(one.key) and one.value is None for one in pipeline.records(ACCOUNT_ROWS))

    assert eventually(tombstones, within=20) == 1


def test_an_event_with_a_purchase_is_not_deleted_even_before_the_projection_has_it(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(3)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == httpx.codes.CREATED

    assert pipeline.http.delete(f"/events/{event}").json()["type"] == "/problems/has-purchases"
    assert pipeline.http.delete(f"/tickets/{kind}").json()["type"] == "/problems/has-purchases"

    assert pipeline.http.get(f"/tickets/{kind}").status_code == httpx.codes.OK


def test_a_deleted_event_sells_nothing_and_is_found_no_more(pipeline: Pipeline) -> None:
    title = f"Gone {uuid4().hex[:8]}"
    event, [kind] = pipeline.event(3, title=title)
    eventually(lambda: event in pipeline.found(title), within=20)

    assert pipeline.http.delete(f"/events/{event}").status_code == httpx.codes.NO_CONTENT

    eventually(lambda: pipeline.view(event)["status"] == "CANCELED", within=20)
    eventually(lambda: event not in pipeline.found(title), within=20)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code in (409, 422)


def test_a_stranger_changes_nothing(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(3)
    with pipeline.client(pipeline.account(), Role.ORGANIZER) as stranger:
        answers = [
            stranger.patch(f"/events/{event}", json={"title": "Mine"}),
            stranger.put(f"/events/{event}/status", json={"status": "CANCELED"}),
            stranger.delete(f"/events/{event}"),
            stranger.patch(f"/tickets/{kind}", json={"quantity": 0}),
            stranger.delete(f"/tickets/{kind}"),
            stranger.post(f"/event/{event}/tickets", json={"name": "x", "quantity": 1}),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5 + [422]
    assert pipeline.http.get(f"/events/{event}").json()["version"] == 2
