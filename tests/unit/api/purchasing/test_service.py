"""Fast path and route answer every request alike; only what is plainly good takes the fast path."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from flask import Response
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from api.purchasing.service import PurchaseFastPath
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tests.unit.api.fakes.ledger import confirmed, outcome, rejected
from tests.unit.api.fakes.world import World

PURCHASES = "/api/v3/purchases"


@pytest.fixture
def body(account: dict[str, Any], ticket: dict[str, Any]) -> dict[str, Any]:
    lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
    return {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}


def both_ways(world: World, client: FlaskClient, **request: Any) -> tuple[Any, Any]:
    """The answers of fast path and route to the same request; of the route twice where only that takes it."""
    second = client.post(PURCHASES, **request)
    return by_fast_path(world, client, **request) or second, second


def by_fast_path(world: World, client: FlaskClient, path: str = PURCHASES, method: str = "POST", **request: Any) -> Any:
    """What the fast path answers; None where it leaves that to the route."""
    base = client.environ_base
    environ = EnvironBuilder(path, method=method, environ_base=base, **request).get_environ()
    named = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    fields = {name.replace("_", "-").lower().encode(): value.encode("latin-1") for name, value in named.items()}
    target = f"{path}?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else path
    fast_path = PurchaseFastPath(world.app.extensions["turnstile"])
    taken = fast_path.take(method.encode(), target.encode(), fields, environ["wsgi.input"].read())
    if taken is None:
        return None
    reply = asyncio.run(taken)
    return Response(reply.body, reply.status, [(name.decode(), value.decode()) for name, value in reply.fields()])


def told(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.get_data(), sorted((name.lower(), value) for name, value in answer.headers)


@pytest.mark.parametrize(
    "rule",
    [
        None,
        confirmed,
        rejected(Reason.SOLD_OUT, available=1, requested=2),
        rejected(Reason.UNKNOWN_TICKET_TYPE),
        lambda command: outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=3"}, {"Idempotency-Key": "k" * 256}])
def test_what_was_decided_is_told_alike(
    world: World, client: FlaskClient, body: dict[str, Any], rule: Any, headers: dict[str, str]
) -> None:
    if rule is not None:
        world.ledger.rule = rule
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"} | headers)
    assert told(one) == told(other)


@pytest.mark.parametrize(
    "change",
    [
        {"accountId": None},
        {"accountId": str(uuid4())},
        {"eventId": str(uuid4())},
        {"lines": []},
        {"lines": [{"ticketTypeId": "x", "quantity": 1}]},
        {"hold": True},
        {"hold": 1},
        {"hold": True, "holdSeconds": 5},
        {"hold": True, "holdSeconds": 0},
        {"hold": True, "holdSeconds": None},
        {"more": 1},
        {"hold": True, "holdSeconds": 5.0},
        {"hold": True, "holdSeconds": 5.5},
        {"line": {"seats": ["A-1-1", "A-1-2"]}},
        {"line": {"best": {"together": False, "accessible": True, "section": "A"}}},
        {"line": {"seats": ["A"]}},
        {"line": {"seats": [7]}},
        {"line": {"seats": 501 * ["A-1-1"]}},
        {"line": {"best": {"together": 1}}},
        {"line": {"best": {"row": "A"}}},
    ],
)
def test_every_body_is_judged_alike(
    world: World, client: FlaskClient, body: dict[str, Any], change: dict[str, Any]
) -> None:
    line = change.pop("line", {})
    change |= {"lines": [body["lines"][0] | line]} if line else {}
    world.ledger.rule = confirmed
    one, other = both_ways(world, client, json=body | change, headers={"Idempotency-Key": "k"})
    assert told(one) == told(other)
    assert len({repr(command) for command in world.ledger.handed_in}) <= 1


@pytest.mark.parametrize(
    "change",
    [
        ('"hold":false', '"hold":true,"hold":false'),
        ('"hold":false', '"hold":NaN'),
        ('"hold":false', '"hold":false,"holdSeconds":1e400'),
        ('"hold":false', '"hold":false,"holdSeconds":05'),
        ('"hold":false', '"hold":false,"x\\ud800":1'),
        ('"hold":false', '"hold":false,"x":' + 5_000 * "["),
        ('{"eventId":"', '{"eventId":"x","eventId":"'),
        ('{"eventId":"', '{"eventId":"urn:uuid:'),
        ('{"eventId":"', '{"event\\u0049d":"'),
        ('{"eventId":"', '\ufeff{"eventId":"'),
    ],
)
def test_every_text_is_read_alike(
    world: World, client: FlaskClient, body: dict[str, Any], change: tuple[str, str]
) -> None:
    world.ledger.rule = confirmed
    text = msgspec.json.encode(body | {"hold": False}).decode()
    assert change[0] in text
    request = {"data": text.replace(*change), "content_type": "application/json"}
    one, other = both_ways(world, client, headers={"Idempotency-Key": "k"}, **request)
    assert told(one) == told(other)
    assert len({repr(command) for command in world.ledger.handed_in}) <= 1


@pytest.mark.parametrize(("quantity", "status"), [(1.0, 201), (1.5, 422), ("1", 422), (True, 422)])
def test_a_number_without_a_fraction_is_an_integer(
    world: World, client: FlaskClient, body: dict[str, Any], quantity: object, status: int
) -> None:
    world.ledger.rule = confirmed
    lines = [{"ticketTypeId": body["lines"][0]["ticketTypeId"], "quantity": quantity}]
    answers = both_ways(world, client, json=body | {"lines": lines}, headers={"Idempotency-Key": "k"})
    assert [answer.status_code for answer in answers] == [status, status]


def test_a_purchase_in_a_coding_is_refused_both_ways(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "k", "Content-Encoding": "gzip"}
    assert [answer.status_code for answer in both_ways(world, client, json=body, headers=headers)] == [415, 415]
    assert world.ledger.handed_in == []


def test_a_purchase_that_is_shorter_than_was_said_is_refused_by_the_route(
    world: World, client: FlaskClient, body: dict[str, Any]
) -> None:
    data = msgspec.json.encode(body)
    longer = {"CONTENT_LENGTH": str(len(data) + 7)}
    answer = client.post(
        PURCHASES,
        data=data,
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
        environ_overrides=longer,
    )
    assert answer.status_code == 400
    assert world.ledger.handed_in == []


@pytest.mark.parametrize(
    "request_",
    [
        {"data": b"{"},
        {"data": b'{"eventId":"\xff"}'},
        {"data": b"{}", "content_type": "text/plain"},
        {"data": b" " * 70_000},
        {"data": b"[]"},
        {},
    ],
)
def test_what_is_no_purchase_at_all_is_refused_by_the_route(
    world: World, client: FlaskClient, request_: dict[str, Any]
) -> None:
    plain = {"content_type": "application/json"} | request_
    one, other = both_ways(world, client, headers={"Idempotency-Key": "k"}, **plain)
    assert told(one) == told(other)
    assert one.status_code in (400, 413, 415, 422)


def test_nobody_buys_without_a_good_token(world: World, body: dict[str, Any]) -> None:
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        client = world.app.test_client()
        one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k", **header})
        assert one.status_code == other.status_code == 401
        assert one.headers["WWW-Authenticate"] == other.headers["WWW-Authenticate"]
    assert not world.ledger.handed_in


def test_a_server_that_is_away_is_told_alike(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    world.ledger.down = True
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (503, other.get_json())
    assert one.headers["Retry-After"] == other.headers["Retry-After"]


def test_what_nobody_expected_is_an_internal_error_and_tells_nothing(
    world: World, client: FlaskClient, body: dict[str, Any]
) -> None:
    def rule(command: Any) -> Any:
        raise KeyError("secret")

    world.ledger.rule = rule
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (500, other.get_json())
    assert b"secret" not in one.get_data()


def test_one_request_too_many_is_told_alike(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    world.ledger.full = True
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (503, other.get_json())
    assert one.headers["Retry-After"] == other.headers["Retry-After"] == "1"


def test_a_full_office_looks_at_no_token(world: World, body: dict[str, Any]) -> None:
    world.ledger.full = True
    headers = {"Authorization": "Bearer x", "Idempotency-Key": "k"}
    answer = by_fast_path(world, world.app.test_client(), json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "/problems/busy")


def test_a_plain_purchase_takes_the_fast_path_and_nothing_else_does(
    world: World, client: FlaskClient, body: dict[str, Any]
) -> None:
    world.ledger.rule = confirmed
    key = {"Idempotency-Key": "k"}
    for headers in (key, key | {"Prefer": "wait=3"}, {}):
        assert by_fast_path(world, client, json=body, headers=headers) is not None
    for other in (
        {"json": body | {"hold": 1}},
        {"json": body, "query_string": "a=b"},
        {"data": b"{}", "content_type": "text/plain"},
        {"data": b"{", "content_type": "application/json"},
        {"json": body, "path": f"{PURCHASES}/"},
        {"json": body, "method": "PUT"},
    ):
        assert by_fast_path(world, client, headers=key, **other) is None
    assert by_fast_path(world, world.app.test_client(), json=body, headers=key) is None
