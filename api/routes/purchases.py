"""Purchases: asked for here, decided by the ledger, answered with the decision."""

import re
from typing import Final
from uuid import UUID, uuid5

from flask import Response, request

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.purchase import (
    NewPurchase,
    Purchase,
    PurchasePath,
    WaitQuery,
    decided,
    parse_public_id,
    pending,
    public_id,
)
from api.prefer import preference
from api.problems import REFUSALS, Fault, Refused, Unavailable
from tables.commands import Line
from tables.commands import Purchase as PurchaseCommand
from tables.outcomes import Outcome, OutcomeKind
from tables.reasons import Reason

purchases = blueprint("purchases", "purchases")

_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_HEADERS: Final = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "1 to 255 printable characters; one purchase has one key, however often it is sent",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    {
        "name": "Prefer",
        "in": "header",
        "description": "`respond-async`, or `wait=N` (seconds)",
        "schema": {"type": "string"},
    },
]
_REFUSED: Final = (
    "idempotency-key-missing",
    "unknown-account",
    "unknown-event",
    "unknown-ticket-type",
    "idempotency-key-reused",
    "still-running",
    "sold-out",
    "not-on-sale",
    "event-not-open",
    "order-limit-exceeded",
    "purchase-limit-exceeded",
    "capacity-exceeded",
    "mixed-currencies",
)


@purchases.post(
    "/purchases",
    summary="Buy tickets",
    responses=answers({201: Purchase, 202: Purchase}, *WITH_BODY, *_REFUSED),
    # Described here and read by hand: a model of the headers would cost a tenth of the request.
    openapi_extensions={"parameters": _HEADERS},
)
def buy(body: NewPurchase) -> Response:
    """201 with the tickets, a problem with the reason, or 202 when the decision takes longer than the wait.

    A request that got no answer, or 503, may be sent again with the same key: it is carried out once.
    """
    wanted = preference(request.headers.get("Prefer"), ports().purchase_wait)
    command = _command(body, _purchase_id(body.account_id, request.headers.get("Idempotency-Key")))
    ports().register.check(body.account_id, body.event_id, [line.ticket_type_id for line in body.lines])
    outcome = ports().office.buy(command, wanted.wait)
    where = {"Location": f"{BASE}/purchases/{public_id(command.event, command.purchase)}"} | wanted.applied
    if outcome is None:
        return answer(pending(command.event, command.purchase), 202, where)
    if outcome.kind is OutcomeKind.CONFIRMED:
        return answer(decided(outcome, command.purchase), 201, where)
    raise _refusal(outcome, command)


def _purchase_id(account: UUID, key: str | None) -> UUID:
    if key is None or not _KEY.fullmatch(key):
        raise Refused("idempotency-key-missing", "send a header Idempotency-Key of 1 to 255 printable characters")
    return uuid5(account, key)


def _command(body: NewPurchase, purchase: UUID) -> PurchaseCommand:
    lines = [Line(line.ticket_type_id, line.quantity) for line in body.lines]
    return PurchaseCommand(body.event_id, purchase, body.account_id, lines)


def _refusal(outcome: Outcome, command: PurchaseCommand) -> Refused:
    reason = outcome.reason or Reason.ID_REUSED
    figures = {"figures": outcome.figures} if outcome.figures else {}
    return Refused(REFUSALS[reason], "", *_faults(outcome, command), **figures)


def _faults(outcome: Outcome, command: PurchaseCommand) -> tuple[Fault, ...]:
    if outcome.reason is Reason.UNKNOWN_EVENT:
        return (Fault("the ticket office knows no such event", "/eventId"),)
    if outcome.reason is Reason.UNKNOWN_TICKET_TYPE:
        unknown = outcome.figures.get("ticketType")
        places = [place for place, line in enumerate(command.lines) if str(line.ticket_type) == unknown]
        return tuple(Fault("the event has no such ticket type", f"/lines/{place}/ticketTypeId") for place in places)
    return ()


@purchases.get(
    "/purchases/<purchaseId>",
    summary="Read a purchase",
    responses=answers({200: Purchase}, "not-found", "invalid-input"),
)
def read_purchase(path: PurchasePath, query: WaitQuery) -> Response:
    """With `?wait=N` the answer comes when the purchase is decided, or after N seconds."""
    ids = parse_public_id(path.purchase_id)
    found = _look(ids, query.wait) if ids else None
    if found is None:
        raise Refused("not-found", "there is no purchase of this id")
    return answer(found)


def _look(ids: tuple[UUID, UUID], wait: float) -> Purchase | None:
    return ports().office.watch(*ids, wait, lambda: _known(ids)) if wait else _known(ids)


def _known(ids: tuple[UUID, UUID]) -> Purchase | None:
    accepted = ports().office.accepted(*ids)
    try:
        found = ports().sales.find(*ids)
    except Unavailable:
        # Nobody can say how it was decided, but that it is in the log is known here.
        if not accepted:
            raise
        found = None
    return pending(*ids) if found is None and accepted else found
