"""The baseline's HTTP side: the route and the answers of ours, kept as lean as Flask allows."""

import os
import secrets
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

import jwt
import msgspec
import psycopg
from flask import Flask, Response, request
from msgspec import Meta, Struct
from psycopg_pool import ConnectionPool

SELL: Final = "SELECT * FROM sell(%s, %s, %s, %s, %s, %s)"
STATUS: Final = {"unknown-ticket-type": 422, "idempotency-key-reused": 422, "sold-out": 409}
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


def create_app(pool: ConnectionPool[Any]) -> Flask:
    """The application on a pool of connections that commit each statement."""
    app = Flask("baseline")

    @app.post("/api/v3/purchases")
    def buy() -> Response:
        """201 with the tickets, or a problem with the reason."""
        try:
            body = _decoder.decode(request.get_data())
        except msgspec.DecodeError as error:
            return _problem("invalid-input", 422, str(error))
        if _caller(request.headers.get("Authorization", "").removeprefix("Bearer ")) != str(body.account_id):
            return _problem("not-allowed", 403, "")
        key = request.headers.get("Idempotency-Key")
        if not key:
            return _problem("idempotency-key-missing", 400, "")
        purchase, line = uuid5(body.account_id, key), body.lines[0]
        codes = [secrets.token_urlsafe(15) for _ in range(line.quantity)]
        values = (purchase, body.account_id, body.event_id, line.ticket_type_id, line.quantity, codes)
        try:
            with pool.connection() as connection:
                row = connection.execute(SELL, values).fetchone()
        except psycopg.DatabaseError as error:
            if error.sqlstate != SOLD_OUT:
                raise
            return _problem("sold-out", 409, "")
        said, name, price, currency, given = row
        if said != "confirmed":
            return _problem(said, STATUS[said], "")
        return _answer(201, _purchase(purchase, body, name, price, currency, given))

    return app


@lru_cache(20_000)
def _caller(token: str) -> str | None:
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


def _problem(name: str, status: int, detail: str) -> Response:
    said = {"type": f"/problems/{name}", "status": status, "detail": detail}
    return Response(_encoder.encode(said), status, mimetype="application/problem+json")


def _answer(status: int, body: dict[str, Any]) -> Response:
    return Response(_encoder.encode(body), status, mimetype="application/json")


def make_app() -> Flask:
    """What the HTTP server serves."""
    options = {"autocommit": True, "prepare_threshold": 0}
    url = os.environ["TURNSTILE_DATABASE_URL"]
    return create_app(ConnectionPool(url, min_size=CONNECTIONS, max_size=CONNECTIONS, kwargs=options, open=True))
