"""Server, application and route answer every request alike; only what is plainly good goes a quick way."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from flask import Response
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from api.express import Express
from api.steps import carry_out
from tables.outcomes import OutcomeKind
from tables.reasons import Reason
from tests.unit.api.fakes import World, confirmed, outcome, rejected
from tests.unit.api.test_plain import Ours

PURCHASES = "/api/v3/purchases"
Send = Callable[..., Any]


@pytest.fixture
def body(account: dict[str, Any], ticket: dict[str, Any]) -> dict[str, Any]:
    lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
    return {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}


def both_ways(world: World, client: FlaskClient, **request: Any) -> tuple[Any, Any]:
    """The answers of the quick way and of the route to the same request; the server's are as the quick way's."""
    express = world.app.wsgi_app
    assert isinstance(express, Express)
    first = client.post(PURCHASES, **request)
    by_the_server = by_server(express, client, **request)
    assert by_the_server is None or told(by_the_server) == told(first)
    world.app.wsgi_app = express.inner  # type: ignore[assignment,method-assign]
    try:
        second = client.post(PURCHASES, **request)
    finally:
        world.app.wsgi_app = express  # type: ignore[method-assign]
    return first, second


def by_server(express: Express, client: FlaskClient, **request: Any) -> Any:
    """What the server says without the application; None where it asks it."""
    environ = EnvironBuilder(PURCHASES, method="POST", environ_base=client.environ_base, **request).get_environ()
    named = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items()]
    query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
    head = f"POST {PURCHASES}{query} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()
    request_ = Ours(head + environ["wsgi.input"].read())
    steps = express.quick(next(request_))
    if steps is None:
        return None
    reply = carry_out(steps)
    return Response(reply.body, reply.status, reply.fields())


def told(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.get_data(), sorted(answer.headers)


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
        world.office.rule = rule
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
    ],
)
def test_every_body_is_judged_alike(
    world: World, client: FlaskClient, body: dict[str, Any], change: dict[str, Any]
) -> None:
    world.office.rule = confirmed
    one, other = both_ways(world, client, json=body | change, headers={"Idempotency-Key": "k"})
    assert told(one) == told(other)
    assert len({repr(command) for command in world.office.handed_in}) <= 1


@pytest.mark.parametrize(("quantity", "status"), [(1.0, 201), (1.5, 422), ("1", 422), (True, 422)])
def test_a_number_without_a_fraction_is_an_integer(
    world: World, client: FlaskClient, body: dict[str, Any], quantity: object, status: int
) -> None:
    world.office.rule = confirmed
    lines = [{"ticketTypeId": body["lines"][0]["ticketTypeId"], "quantity": quantity}]
    answers = both_ways(world, client, json=body | {"lines": lines}, headers={"Idempotency-Key": "k"})
    assert [answer.status_code for answer in answers] == [status, status]


def test_a_purchase_in_a_coding_is_refused_both_ways(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "k", "Content-Encoding": "gzip"}
    assert [answer.status_code for answer in both_ways(world, client, json=body, headers=headers)] == [415, 415]
    assert world.office.handed_in == []


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
    assert world.office.handed_in == []


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
    assert not world.office.handed_in


def test_a_server_that_is_away_is_told_alike(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    world.office.down = True
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (503, other.get_json())
    assert one.headers["Retry-After"] == other.headers["Retry-After"]


def test_what_nobody_expected_is_an_internal_error_and_tells_nothing(
    world: World, client: FlaskClient, body: dict[str, Any]
) -> None:
    def rule(command: Any) -> Any:
        raise KeyError("secret")

    world.office.rule = rule
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (500, other.get_json())
    assert b"secret" not in one.get_data()


def test_one_request_too_many_is_told_alike(world: World, client: FlaskClient, body: dict[str, Any]) -> None:
    world.office.full = True
    one, other = both_ways(world, client, json=body, headers={"Idempotency-Key": "k"})
    assert (one.status_code, one.get_json()) == (503, other.get_json())
    assert one.headers["Retry-After"] == other.headers["Retry-After"] == "1"


def test_a_full_office_looks_at_no_token(world: World, body: dict[str, Any]) -> None:
    world.office.full = True
    headers = {"Authorization": "Bearer x", "Idempotency-Key": "k"}
    answer = world.app.test_client().post(PURCHASES, json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "/problems/busy")


def test_a_plain_purchase_is_the_servers_alone_and_nothing_else_is(
    world: World, client: FlaskClient, body: dict[str, Any]
) -> None:
    world.office.rule = confirmed
    express = world.app.wsgi_app
    assert isinstance(express, Express)
    key = {"Idempotency-Key": "k"}
    for headers in (key, key | {"Prefer": "wait=3"}, {}):
        assert by_server(express, client, json=body, headers=headers) is not None
    for other in (
        {"json": body | {"hold": 1}},
        {"json": body, "query_string": "a=b"},
        {"data": b"{}", "content_type": "text/plain"},
        {"data": b"{", "content_type": "application/json"},
        {"data": b" " * 66_000 + b"{}", "content_type": "application/json"},
    ):
        assert by_server(express, client, headers=key, **other) is None
    assert by_server(express, world.app.test_client(), json=body, headers=key) is None
    for start in (b"GET /api/v3/purchases", b"POST /api/v3/purchases/", b"POST /"):
        assert express.quick(next(Ours(start + b" HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n"))) is None
