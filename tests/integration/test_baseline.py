"""The baseline that ours is compared with keeps its own promises: it sells once, and never too much."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest

from api.web.raw_response import RawResponse
from lab.bench.baseline import shop
from lab.bench.baseline.selling import SCHEMA, SHELF
from lab.bench.baseline.shop import PATH, TOKENS, Shop, shop_of
from lab.trial_stack import TrialStack

KEY = "a key for the tests of the baseline"
BUYER = uuid4()
Order = tuple[dict[bytes, bytes], bytes]


@pytest.fixture(scope="module")
def database(stack: TrialStack) -> str:
    url = stack.environment["TURNSTILE_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA baseline")
    there = f"{url}?options=-csearch_path%3Dbaseline"
    with psycopg.connect(there) as connection:
        connection.execute(SCHEMA.read_bytes())
    return there


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", KEY)
    shop._caller.cache_clear()


def ticket_type(stack: TrialStack, stock: int) -> tuple[UUID, UUID]:
    event, kind = uuid4(), uuid4()
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        connection.execute("SET search_path TO baseline")
        connection.execute(SHELF, (kind, event, stock))
    return event, kind


def order(
    show: tuple[UUID, UUID], key: str, quantity: int = 1, buyer: UUID = BUYER
) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of a purchase."""
    body = {
        "eventId": str(show[0]),
        "accountId": str(buyer),
        "lines": [{"ticketTypeId": str(show[1]), "quantity": quantity}],
    }
    token = jwt.encode({"sub": str(BUYER)}, KEY, TOKENS)
    return {b"idempotency-key": key.encode(), b"authorization": b"Bearer " + token.encode()}, json.dumps(body).encode()


def buy(database: str, *orders: Order) -> list[tuple[int, Any]]:
    """The answers, statuses with bodies, to these orders, which are all under way at once."""

    async def answer(shop: Shop, fields: dict[bytes, bytes], body: bytes) -> RawResponse:
        taken = shop.take(b"POST", PATH.encode(), fields, body, {})
        assert taken is not None
        return await taken

    async def sale() -> list[RawResponse]:
        async with shop_of(database, 4) as shop:
            return await asyncio.gather(*(answer(shop, *one) for one in orders))

    return [(answer.status, json.loads(answer.body)) for answer in asyncio.run(sale())]


def test_it_sells_and_gives_the_same_answer_again(database: str, stack: TrialStack) -> None:
    show = ticket_type(stack, 5)
    [first] = buy(database, order(show, "k", 2))
    [again] = buy(database, order(show, "k", 2))
    assert first == again
    assert first[0] == 201
    assert first[1]["total"] == {"amount": "99.8000", "currency": "EUR"}
    assert len(set(first[1]["lines"][0]["codes"])) == 2
    assert left(stack, show) == (3, 1, 1)


def test_a_key_that_stood_for_something_else_is_refused(database: str, stack: TrialStack) -> None:
    show = ticket_type(stack, 5)
    buy(database, order(show, "other", 2))
    [(status, problem)] = buy(database, order(show, "other", 1))
    assert (status, problem["type"]) == (422, "/problems/idempotency-key-reused")
    assert left(stack, show) == (3, 1, 1)


def test_ten_buyers_of_the_last_ticket_get_one_ticket(database: str, stack: TrialStack) -> None:
    show = ticket_type(stack, 1)
    answers = buy(database, *(order(show, f"rush-{number}") for number in range(10)))
    assert sorted(status for status, _ in answers) == [201, *[409] * 9]
    assert left(stack, show) == (0, 1, 1)


def test_nobody_buys_for_another(database: str, stack: TrialStack) -> None:
    show = ticket_type(stack, 1)
    [(status, _)] = buy(database, order(show, "k", buyer=uuid4()))
    assert status == 403
    assert left(stack, show) == (1, 0, 0)


def left(stack: TrialStack, show: tuple[UUID, UUID]) -> tuple[int, int, int]:
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
