"""Purchases: requested here, decided by the ledger."""

from typing import Final

from flask import Response, request

from api.auth.tokens import Caller
from api.paying.refunds import buyer_of
from api.ports.ports import Ports, ports
from api.problem_kinds import REFUSALS
from api.purchasing import service
from api.purchasing.callers_purchases import found_purchase, known_purchase, own_purchase, owner_of
from api.schemas.purchase import (
    Cancellation,
    NewPurchase,
    Purchase,
    PurchaseConfirmation,
    PurchasePath,
    SeatExchange,
    WaitQuery,
    purchase_json,
)
from api.web.authentication import caller
from api.web.deferred import deferred
from api.web.prefer import Preference, preference
from api.web.raw_response import JSON, RawResponse
from api.web.responses import WITH_BODY, answer, answers, blueprint
from tables.messages.commands import TicketLine
from tables.messages.outcomes import Outcome

purchases = blueprint("purchases", "purchases")

_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`respond-async`, or `wait=N` (seconds)",
    "schema": {"type": "string"},
}
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "1 to 255 printable characters; one purchase has one key, however often it is sent",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_CHANGE_KEY: Final = KEY | {"required": False, "description": "needed only where `lines` or `seats` are given back"}
_SEATS_REFUSED: Final = ("unknown-seat", "invalid-seats", "seat-taken")
_OF_CHANGES: Final = ("unequal-exchange", "not-held", "nothing-to-cancel", "too-many-changes", "payment-required")
OF_RETURNS: Final = (
    *("not-found", "nothing-to-cancel", "too-many-changes", "seats-required"),
    *_SEATS_REFUSED,
    *("idempotency-key-missing", "idempotency-key-reused", "still-running", "busy"),
)
_REFUSED: Final = (
    *("idempotency-key-missing", "unknown-account", "still-running", "overall-hold-limit-exceeded"),
    *(kind for kind in REFUSALS.values() if kind not in _OF_CHANGES),
    "busy",
)


# Headers are described here and read by hand, since a model of them costs a tenth of the request.
@purchases.post(
    "/purchases",
    summary="Buy or hold tickets",
    responses=answers({201: Purchase, 202: Purchase}, *WITH_BODY, *_REFUSED),
    openapi_extensions={"parameters": [KEY, _PREFER]},
)
def buy(body: NewPurchase) -> Response:
    """201 with the tickets, a problem with the reason, or 202 if the decision takes longer than the wait.

    A request without a response, or with 503, may be repeated with the same key: it is carried out once.
    """
    return deferred(service.buy(ports(), caller(), body, request.headers.get("Idempotency-Key"), _wanted()))


@purchases.post(
    "/purchases/<purchaseId>/confirm",
    summary="Confirm a hold",
    responses=answers(
        {200: Purchase, 202: Purchase},
        *WITH_BODY,
        "payment-required",
        "not-found",
        "not-held",
        "idempotency-key-missing",
        "still-running",
        "busy",
    ),
    openapi_extensions={"parameters": [_CHANGE_KEY, _PREFER]},
)
def confirm_purchase(path: PurchasePath, body: PurchaseConfirmation) -> Response:
    """A hold becomes a sale, with its codes. A repeated request gets the same response.

    What must be paid online is confirmed by the event's organizer, or an administrator, with the `reference` of the
    payment.
    """
    public = path.purchase_id
    reference = body.reference if "reference" in body.model_fields_set else None
    key = request.headers.get("Idempotency-Key")
    owner = owner_of(public) if reference is None else buyer_of(public)
    return deferred(service.confirm(ports(), owner, public, key, _wanted(), reference))


@purchases.post(
    "/purchases/<purchaseId>/cancel",
    summary="Give tickets back",
    responses=answers({200: Purchase, 202: Purchase}, *WITH_BODY, *OF_RETURNS),
    openapi_extensions={"parameters": [_CHANGE_KEY, _PREFER]},
)
def cancel_purchase(path: PurchasePath, body: Cancellation) -> Response:
    """All tickets, or the last ones of the given `lines`, and `seats` by name. They can be bought again at once."""
    public = path.purchase_id
    lines = [TicketLine(line.ticket_type_id, line.quantity) for line in body.lines]
    key = request.headers.get("Idempotency-Key")
    return deferred(service.cancel(ports(), owner_of(public), public, lines, key, _wanted(), body.seats))


@purchases.post(
    "/purchases/<purchaseId>/exchange",
    summary="Exchange seats",
    responses=answers(
        {200: Purchase, 202: Purchase},
        *WITH_BODY,
        "not-found",
        "too-many-changes",
        "idempotency-key-missing",
        "idempotency-key-reused",
        "still-running",
        "busy",
        *_SEATS_REFUSED,
        "unequal-exchange",
    ),
    openapi_extensions={"parameters": [KEY, _PREFER]},
)
def exchange_seats(path: PurchasePath, body: SeatExchange) -> Response:
    """Seats for as many others of the same ticket types, in one decision: all of them, or nothing changes."""
    public = path.purchase_id
    key = request.headers.get("Idempotency-Key")
    return deferred(service.exchange(ports(), owner_of(public), public, body, key, _wanted()))


@purchases.get(
    "/purchases/<purchaseId>",
    summary="Read a purchase",
    responses=answers({200: Purchase}, "not-found", "invalid-input", "busy"),
)
def read_purchase(path: PurchasePath, query: WaitQuery) -> Response:
    """With `?wait=N` the response comes when the purchase is decided, or after N seconds."""
    if query.wait:
        return deferred(_watched(ports(), caller(), path.purchase_id, query.wait))
    return answer(own_purchase(path.purchase_id))


def _wanted() -> Preference:
    return preference(request.headers.get("Prefer"), ports().purchase_wait)


async def _watched(known: Ports, reader: Caller, public: str, wait: float) -> RawResponse:
    """The purchase, after up to ``wait`` seconds if it is undecided."""
    ids = service.ids_of(public)
    found = await known.ledger.watch(*ids, wait, lambda: known_purchase(known, reader, public), reader.may_act_for)
    if isinstance(found, Outcome):
        return RawResponse(200, JSON, {}, purchase_json(found, ids[1]))
    return RawResponse(200, JSON, {}, found_purchase(found).model_dump_json(by_alias=True, exclude_none=True).encode())
