"""Buys, holds, confirms and cancels: from a request to a command, and from its outcome to a response.

One service for the routes, the pages and the fast path; it runs in the server's loop.
"""

import re
from collections.abc import Coroutine
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter, ValidationError

from api.auth.tokens import Caller, forbidden, read_caller
from api.ports.ledger import BuyersCommand
from api.ports.purchasing import PurchasePorts
from api.problem_kinds import REFUSALS
from api.problems import Fault, Refused
from api.purchasing.acceptance import accepted_id
from api.schemas.purchase import (
    NewPurchase,
    OrderLine,
    SeatExchange,
    parse_public_id,
    pending,
    public_id,
    purchase_json,
)
from api.web.prefer import Preference, preference
from api.web.raw_response import JSON, Fields, RawResponse, or_problem
from api.web.responses import BASE
from tables.ids import name_based_id
from tables.messages.commands import Buy, Cancel, Confirm, Exchange, Hold, TicketLine, merge
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable

PATH: Final = f"{BASE}/purchases"
_TARGET: Final = PATH.encode()
_JSON: Final = JSON.encode()
_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_HIDDEN: Final = frozenset({Reason.UNKNOWN_PURCHASE, Reason.NOT_YOURS})
# NewPurchase.model_validate_json without its overhead for each call.
_validate: Final = TypeAdapter(NewPurchase).validator.validate_json


class PurchaseFastPath:
    """Answers simple, valid ``POST /purchases`` in the server's loop, before the web framework.

    All others are left to the route. Both parse the body with the same model and call ``buy``; a test sends every
    request both ways.
    """

    def __init__(self, ports: PurchasePorts) -> None:
        self._ports = ports

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes
    ) -> Coroutine[Any, Any, RawResponse] | None:
        """The answer to a simple purchase; None for every other request. No header field is repeated."""
        if target != _TARGET or method != b"POST" or b"content-encoding" in fields:
            return None
        if fields.get(b"content-type") != _JSON or b"authorization" not in fields:
            return None
        try:
            asked: NewPurchase = _validate(body)
        except ValidationError:
            return None
        return or_problem(self._buy(fields, asked), PATH)

    async def _buy(self, fields: Fields, asked: NewPurchase) -> RawResponse:
        # Before all else: under overload, a refusal must be cheap.
        self._ports.ledger.check_limit()
        header = fields[b"authorization"].decode("latin-1")
        caller = read_caller(self._ports.tokens, self._ports.revocations.version, header)
        wanted = preference(_text(fields.get(b"prefer")), self._ports.purchase_wait)
        return await buy(self._ports, caller, asked, _text(fields.get(b"idempotency-key")), wanted)


async def buy(
    ports: PurchasePorts, caller: Caller, body: NewPurchase, key: str | None, wanted: Preference
) -> RawResponse:
    """201 with the tickets, held or bought, or 202 if the decision takes longer than the wait.

    Refused: forbidden, and whatever the ledger or the catalogue check refuses. Unavailable: not known to be in the log.
    """
    account = body.account_id if "account_id" in body.model_fields_set else caller.account
    if not caller.may_act_for(account):
        raise forbidden()
    command = _command(body, account, purchase_id(account, key), ports.hold_seconds)
    if account != caller.account:
        await ports.catalogue.check_account(account)
    await ports.catalogue.check_event(command.event, [line.ticket_type for line in command.lines])
    if isinstance(command, Hold):
        await _check_overall(ports, command)
    outcome = await ports.ledger.carry_out(command, wanted.wait)
    if outcome is None:
        return _accepted(command, accepted_id(ports.tokens, command, ports.clock()), wanted)
    if outcome.kind in (OutcomeKind.CONFIRMED, OutcomeKind.HELD):
        where = _location(public_id(command.event, command.purchase))
        return RawResponse(201, JSON, {**where, **wanted.applied}, purchase_json(outcome, command.purchase))
    raise _refusal(outcome, command)


async def confirm(
    ports: PurchasePorts, owner: UUID, public: str, key: str | None, wanted: Preference, payment: str | None = None
) -> RawResponse:
    """Turn a hold into a sale; a repeated request gets the same answer. ``payment`` is the reference of a payment.

    Refused: not-found, not-held, payment-required.
    """
    event, purchase = ids_of(public)
    command = Confirm(event, purchase, owner, request_id(purchase, "confirm", key), payment)
    return await _carry_out(ports, command, public, wanted)


async def cancel(
    ports: PurchasePorts,
    owner: UUID,
    public: str,
    lines: list[TicketLine],
    key: str | None,
    wanted: Preference,
    seats: tuple[str, ...] = (),
) -> RawResponse:
    """Give back all or some tickets. Some need a key, so that a repeated request gives them back once.

    Refused: not-found, nothing-to-cancel, too-many-changes, idempotency-key-missing, idempotency-key-reused, and what
    is wrong with the seats.
    """
    if (lines or seats) and key is None:
        raise no_key()
    event, purchase = ids_of(public)
    command = Cancel(event, purchase, owner, request_id(purchase, "cancel", key), lines, seats)
    return await give_back(ports, command, public, wanted)


async def exchange(
    ports: PurchasePorts, owner: UUID, public: str, body: SeatExchange, key: str | None, wanted: Preference
) -> RawResponse:
    """Give seats back and get others instead, or nothing.

    Refused: not-found, idempotency-key-missing, idempotency-key-reused, and what is wrong with the seats.
    """
    if key is None:
        raise no_key()
    event, purchase = ids_of(public)
    command = Exchange(event, purchase, owner, request_id(purchase, "exchange", key), body.give, body.take)
    return await _carry_out(ports, command, public, wanted)


async def give_back(ports: PurchasePorts, command: Cancel, public: str, wanted: Preference) -> RawResponse:
    """Give back tickets; a repeated request of the same id gets the same answer.

    Refused: not-found, nothing-to-cancel, too-many-changes, idempotency-key-reused.
    """
    return await _carry_out(ports, command, public, wanted)


def ids_of(public: str) -> tuple[UUID, UUID]:
    """Event and purchase of a public id. Refused: not-found."""
    ids = parse_public_id(public)
    if ids is None:
        raise no_purchase()
    return ids


def no_key() -> Refused:
    """The refusal of a request that must have a key."""
    return Refused("idempotency-key-missing", "send a header Idempotency-Key of 1 to 255 printable characters")


async def _carry_out(
    ports: PurchasePorts, command: Confirm | Cancel | Exchange, public: str, wanted: Preference
) -> RawResponse:
    outcome = await ports.ledger.carry_out(command, wanted.wait)
    if outcome is None:
        # Under the requested id, since it is not known whether there is such a purchase.
        return _accepted(command, public, wanted)
    if outcome.kind is OutcomeKind.REFUSED:
        raise _refusal(outcome, command)
    if not _is_answer(outcome, command):
        raise Refused("idempotency-key-reused")
    return RawResponse(200, JSON, wanted.applied, purchase_json(outcome, command.purchase))


async def _check_overall(ports: PurchasePorts, command: Hold) -> None:
    """Refused: overall-hold-limit-exceeded. Nothing is recorded of it, so the same request may succeed later."""
    tickets_max = ports.hold_tickets_overall_max
    if not tickets_max:
        return
    requested, held = sum(line.quantity for line in command.lines), await ports.holders.held(command.account)
    if held + requested > tickets_max and await ports.ledger.is_new(command.event, command.purchase):
        figures = {"limit": tickets_max, "requested": requested, "held": held}
        raise Refused("overall-hold-limit-exceeded", figures=figures, retryable=True)


def _is_answer(outcome: Outcome, command: Confirm | Cancel | Exchange) -> bool:
    """Whether the outcome is of the tickets (none: all) or seats of the command, and not of others under its key."""
    if isinstance(command, Confirm):
        return True
    seats = {seat for line in outcome.lines for seat in line.seats}
    if isinstance(command, Exchange):
        return seats.issuperset(command.take) and seats.isdisjoint(command.give)
    if not (command.lines or command.seats):
        return not outcome.left
    counted = {line.ticket_type: line.quantity for line in outcome.lines if not line.seats}
    return counted == merge(command.lines) and seats == set(command.seats)


def _accepted(command: BuyersCommand, public: str, wanted: Preference) -> RawResponse:
    body = pending(command.event, command.purchase, command.account).model_dump_json(by_alias=True, exclude_none=True)
    return RawResponse(202, JSON, {**_location(public), **wanted.applied}, body.encode())


def _location(public: str) -> dict[str, str]:
    return {"Location": f"{PATH}/{public}"}


def purchase_id(account: UUID, key: str | None) -> UUID:
    """The id of the purchase of an account's key. Refused: idempotency-key-missing."""
    if key is None or not _KEY.fullmatch(key):
        raise no_key()
    return name_based_id(account, key)


def request_id(purchase: UUID, what: str, key: str | None) -> UUID:
    """The id of a request with that key; a new one without a key. Refused: idempotency-key-missing."""
    if key is None:
        return uuid4()
    if not _KEY.fullmatch(key):
        raise no_key()
    return name_based_id(purchase, f"{what} {key}")


def _command(body: NewPurchase, account: UUID, purchase: UUID, usual_seconds: int) -> Buy | Hold:
    lines = [_line(line) for line in body.lines]
    if not body.hold:
        return Buy(body.event_id, purchase, account, lines)
    seconds = body.hold_seconds or usual_seconds
    return Hold(body.event_id, purchase, account, lines, seconds, by_default=not body.hold_seconds)


def _line(line: OrderLine) -> TicketLine:
    best = line.best
    wanted = None if best is None else BestAvailable(best.together, best.accessible, best.section)
    return TicketLine(line.ticket_type_id, line.quantity, line.seats, wanted)


def _refusal(outcome: Outcome, command: BuyersCommand) -> Refused:
    reason = outcome.reason or Reason.ID_REUSED
    if reason in _HIDDEN:
        return no_purchase()
    figures = {"figures": outcome.figures} if outcome.figures else {}
    return Refused(REFUSALS[reason], "", *_faults(outcome, command), **figures)


def no_purchase() -> Refused:
    """The refusal for a purchase that does not exist or is not the caller's."""
    return Refused("not-found", "there is no purchase of this id")


def _faults(outcome: Outcome, command: BuyersCommand) -> tuple[Fault, ...]:
    if outcome.reason is Reason.UNKNOWN_EVENT:
        return (Fault("the ticket office knows no such event", "/eventId"),)
    if outcome.reason is Reason.UNKNOWN_TICKET_TYPE and isinstance(command, (Buy, Hold)):
        unknown = outcome.figures.get("ticketType")
        places = [place for place, line in enumerate(command.lines) if str(line.ticket_type) == unknown]
        return tuple(Fault("the event has no such ticket type", f"/lines/{place}/ticketTypeId") for place in places)
    return ()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
