"""The baseline's HTTP side: the route and the answers of ours, in the same server's loop, on psycopg."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

import jwt
import msgspec
import psycopg
from msgspec import Meta, Struct
from psycopg import AsyncConnection

from api.problems import Refused
from api.web.raw_response import JSON, Fields, RawResponse, Receive, Scope, Send, or_problem, problem

PATH: Final = "/api/v3/purchases"
SELL: Final = "SELECT * FROM sell(%s, %s, %s, %s, %s, %s)"
TOKENS: Final = "HS256"
SOLD_OUT: Final = "TS001"
CONNECTIONS: Final = int(os.environ.get("BASELINE_CONNECTIONS", "8"))


class Line(Struct, frozen=True, rename="camel"):
    """So many tickets of one type."""

    ticket_type_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=1_000)]


class NewPurchase(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The body of a purchase; the baseline sells one line."""

    event_id: UUID
    account_id: UUID
    lines: Annotated[list[Line], Meta(min_length=1, max_length=1)]


_decoder = msgspec.json.Decoder(NewPurchase)
_encoder = msgspec.json.Encoder()


class Shop:
    """The application: purchases on the server's fast path, as ours are; for anything else 404 by ASGI.

    It has ``connections`` that commit each statement; a purchase waits for one that is free.
    """

    def __init__(self, connections: Iterable[AsyncConnection[Any]]) -> None:
        self._free: asyncio.LifoQueue[AsyncConnection[Any]] = asyncio.LifoQueue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer anything but a purchase."""
        await problem("not-found").send(send)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """The answer to a purchase: 201 with the tickets, or a problem with the reason."""
        is_purchase = method == b"POST" and target == PATH.encode()
        return or_problem(self._buy(fields, body), PATH) if is_purchase else None

    async def _buy(self, fields: Fields, content: bytes) -> RawResponse:
        try:
            body = _decoder.decode(content)
        except msgspec.DecodeError as error:
            raise Refused("invalid-input", str(error)) from error
        if _caller(fields.get(b"authorization", b"").removeprefix(b"Bearer ")) != str(body.account_id):
            raise Refused("forbidden")
        key = fields.get(b"idempotency-key")
        if not key:
            raise Refused("idempotency-key-missing")
        purchase, line = uuid5(body.account_id, key.decode("latin-1")), body.lines[0]
        codes = [secrets.token_urlsafe(15) for _ in range(line.quantity)]
        said, name, price, currency, given = await self._sell(
            (purchase, body.account_id, body.event_id, line.ticket_type_id, line.quantity, codes)
        )
        if said != "confirmed":
            raise Refused(said)
        answer = _purchase(purchase, body, name, price, currency, given)
        return RawResponse(HTTPStatus.CREATED, JSON, {}, _encoder.encode(answer))

    async def _sell(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        connection = await self._free.get()
        try:
            row: tuple[Any, ...] | None = await (await connection.execute(SELL, values, prepare=True)).fetchone()
        except psycopg.DatabaseError as error:
            if error.sqlstate != SOLD_OUT:
                raise
            raise Refused("sold-out") from error
        finally:
            self._free.put_nowait(connection)
        if row is None:
            raise RuntimeError("the function returned no row")
        return row


@lru_cache(20_000)
def _caller(token: bytes) -> str | None:
    """The account that a token is good for; as with ours, one that was read before is not checked again."""
    try:
        return str(jwt.decode(token, os.environ["TURNSTILE_TICKET_KEY"], [TOKENS])["sub"])
    except jwt.InvalidTokenError:
        return None


def _purchase(
    purchase: UUID, body: NewPurchase, name: str, price: Decimal, currency: str, codes: list[str]
) -> dict[str, Any]:
    line = body.lines[0]
    return {
        "id": purchase,
        "status": "confirmed",
        "eventId": body.event_id,
        "accountId": body.account_id,
        "lines": [
            {
                "ticketTypeId": line.ticket_type_id,
                "name": name,
                "quantity": line.quantity,
                "price": {"amount": price, "currency": currency},
                "codes": codes,
            }
        ],
        "total": {"amount": price * line.quantity, "currency": currency},
    }


@asynccontextmanager
async def shop_of(database_url: str, count: int = CONNECTIONS) -> AsyncIterator[Shop]:
    """The shop on so many connections of its own."""
    async with AsyncExitStack() as connections:
        yield Shop(
            [
                await connections.enter_async_context(await AsyncConnection.connect(database_url, autocommit=True))
                for _ in range(count)
            ]
        )
