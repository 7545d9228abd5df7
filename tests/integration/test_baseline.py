"""The baseline that ours is compared with keeps its own promises: it sells once, and never too much."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest
from flask import Flask
from psycopg_pool import ConnectionPool

from lab.bench.baseline import shop
from lab.bench.baseline.selling import SCHEMA, SHELF
from lab.bench.baseline.shop import TOKENS, create_app
from stack.embedded import Stack

KEY = "a key for the tests of the baseline"
BUYER = uuid4()


@pytest.fixture(scope="module")
def app(stack: Stack) -> Iterator[Flask]:
    url = stack.environment["TURNSTILE_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA baseline")
    there = f"{url}?options=-csearch_path%3Dbaseline"
    with psycopg.connect(there) as connection:
        connection.execute(SCHEMA.read_bytes())
    with ConnectionPool(there, min_size=4, max_size=4, kwargs={"autocommit": True}, open=True) as pool:
        yield create_app(pool)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", KEY)
    shop._caller.cache_clear()


def shelf(stack: Stack, stock: int) -> tuple[UUID, UUID]:
    event, kind = uuid4(), uuid4()
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        connection.execute("SET search_path TO baseline")
        connection.execute(SHELF, (kind, event, stock))
    return event, kind


def buy(app: Flask, show: tuple[UUID, UUID], key: str, quantity: int = 1, buyer: UUID = BUYER) -> tuple[int, Any]:
    body = {
        "eventId": str(show[0]),
        "accountId": str(buyer),
        "lines": [{"ticketTypeId": str(show[1]), "quantity": quantity}],
    }
    token = jwt.encode({"sub": str(BUYER)}, KEY, TOKENS)
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {token}"}
    answer = app.test_client().post("/api/v3/purchases", json=body, headers=headers)
    return answer.status_code, answer.get_json()


def test_it_sells_and_gives_the_same_answer_again(app: Flask, stack: Stack) -> None:
    show = shelf(stack, 5)
    first, again = buy(app, show, "k", 2), buy(app, show, "k", 2)
    assert first == again
    assert first[0] == 201
    assert first[1]["total"] == {"amount": "99.8000", "currency": "EUR"}
    assert len(set(first[1]["lines"][0]["codes"])) == 2
    assert left(stack, show) == (3, 1, 1)


def test_a_key_that_stood_for_something_else_is_refused(app: Flask, stack: Stack) -> None:
    show = shelf(stack, 5)
    buy(app, show, "other", 2)
    status, problem = buy(app, show, "other", 1)
    assert (status, problem["type"]) == (422, "/problems/idempotency-key-reused")
    assert left(stack, show) == (3, 1, 1)


def test_ten_buyers_of_the_last_ticket_get_one_ticket(app: Flask, stack: Stack) -> None:
    show = shelf(stack, 1)
    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(lambda number: buy(app, show, f"rush-{number}")[0], range(10)))
    assert sorted(answers) == [201, *[409] * 9]
    assert left(stack, show) == (0, 1, 1)


def test_nobody_buys_for_another(app: Flask, stack: Stack) -> None:
    show = shelf(stack, 1)
    assert buy(app, show, "k", buyer=uuid4())[0] == 403
    assert left(stack, show) == (1, 0, 0)


def left(stack: Stack, show: tuple[UUID, UUID]) -> tuple[int, int, int]:
    """The stock, the purchases, the messages of a show."""
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT (SELECT available FROM baseline.ticket_type WHERE event = %(e)s),"
            " (SELECT count(*) FROM baseline.purchase WHERE event = %(e)s),"
            " (SELECT count(*) FROM baseline.outbox WHERE payload->>'event' = %(e)s::text)",
            {"e": show[0]},
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])
