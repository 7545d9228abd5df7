"""Every problem that the API answers with (RFC 9457), in one table, and the two errors that become one.

ApiError
├── Refused       the request can't be granted: a row of PROBLEMS, with what is wrong
└── Unavailable   a server that the request needs does not answer: 503 with Retry-After
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from flask import Response

from tables.messages.reasons import Reason

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 2
# For who is turned away by a limit on what is under way at once.
BUSY_FOR_S: Final = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: the problem's status, its title, which never changes, and when it is met."""

    status: int
    title: str
    when: str


PROBLEMS: Final[dict[str, Kind]] = {
    "malformed-request": Kind(400, "The request cannot be read", "the body is no JSON"),
    "idempotency-key-missing": Kind(
        400,
        "The header Idempotency-Key is missing or unusable",
        "a purchase without a key, or with one of no or more than 255 characters",
    ),
    "unauthorized": Kind(
        401, "The request needs a valid token", "no token, or one that is not ours, has expired or was ended"
    ),
    "wrong-credentials": Kind(
        401, "Address and password do not fit together", "signing in: no such address, or not its password"
    ),
    "forbidden": Kind(403, "This is not yours to do", "somebody else's, or a role that the caller lacks"),
    "not-found": Kind(404, "There is no such resource", "no resource of this id, no such path"),
    "method-not-allowed": Kind(405, "The resource does not know this method", "the `Allow` header has those that are"),
    "request-timeout": Kind(408, "The request took too long to come", "not all of a request came within ten seconds"),
    "already-exists": Kind(409, "There is a resource with this id already", "the client's own id is in use"),
    "email-taken": Kind(
        409, "There is an account with this e-mail address already", "an account has this address, in whatever case"
    ),
    "transition-refused": Kind(
        409, "The event cannot change to this status", "`from`, `to` and what is `allowed` are in the problem"
    ),
    "too-many-ticket-types": Kind(
        409, "The event has as many ticket types as it may have", "an event has 200 of them at most"
    ),
    "still-running": Kind(
        409, "A request with this Idempotency-Key is still running", "this key's first request has no answer yet"
    ),
    "sold-out": Kind(409, "There are not enough tickets left", "fewer tickets are left than were asked for"),
    "nothing-to-send": Kind(
        409, "Nothing of this purchase is left to be sent", "the purchase is neither held nor confirmed"
    ),
    "not-on-sale": Kind(409, "The tickets are not on sale now", "before or after the ticket type's sale"),
    "event-not-open": Kind(409, "The event sells no tickets now", "the event is not ACTIVE"),
    "order-limit-exceeded": Kind(409, "One purchase may not have so many tickets", "too many tickets in one purchase"),
    "purchase-limit-exceeded": Kind(
        409, "One account may not have so many tickets", "too many tickets for one account"
    ),
    "hold-too-long": Kind(
        409, "A hold may not last so long", "longer than the operator's limit; `figures` has `limit` in seconds"
    ),
    "hold-limit-exceeded": Kind(
        409,
        "One account may not hold so many tickets of an event",
        "with what the account holds already it would hold too many; `figures` has `held` and `limit`",
    ),
    "overall-hold-limit-exceeded": Kind(
        409,
        "One account may not hold so many tickets of all events",
        "with what it holds of all events it would hold too many; `figures` has `held` and `limit`",
    ),
    "hold-too-soon": Kind(
        409,
        "These tickets cannot be held again yet",
        "the account gave back or lost a hold of them a moment ago; `figures` has `retryAt`",
    ),
    "capacity-exceeded": Kind(409, "The event has not enough room left", "the event's room, over all ticket types"),
    "mixed-currencies": Kind(
        409, "One purchase cannot have prices in several currencies", "lines with prices in several currencies"
    ),
    "has-events": Kind(409, "The account has events", "an organizer's account cannot be deleted before its events"),
    "has-purchases": Kind(
        409, "There are purchases of this", "an event or a ticket type with purchases is cancelled, not deleted"
    ),
    "precondition-failed": Kind(
        412, "The resource was changed meanwhile", "`If-Match` names another version; `version` is the present one"
    ),
    "not-held": Kind(
        409,
        "The purchase is not held",
        "only a hold can be confirmed, and only until its deadline; `figures` has the status",
    ),
    "nothing-to-cancel": Kind(
        409, "The purchase has no such tickets to give back", "the purchase does not have these tickets any more"
    ),
    "too-many-changes": Kind(
        409,
        "The purchase was changed too often",
        "what is left of it can still be given back, but only as a whole; `figures` has the limit",
    ),
    "body-too-large": Kind(413, "The body is too large", "more than 64 KiB"),
    "unsupported-media-type": Kind(
        415, "The body is not application/json", "a body that is not `application/json`, or has a `Content-Encoding`"
    ),
    "invalid-input": Kind(422, "The request has fields that are missing or wrong", "`errors` has the fields"),
    "unknown-account": Kind(422, "There is no such account", "nobody of this id"),
    "unknown-event": Kind(
        422, "There is no such event on sale", "no event of this id, a draft, or not known to the ticket office yet"
    ),
    "unknown-ticket-type": Kind(422, "The event has no such ticket type", "not a ticket type of this event"),
    "idempotency-key-reused": Kind(
        422, "This Idempotency-Key was used with another body", "the key belongs to another body"
    ),
    "unknown-code": Kind(
        422,
        "There is no such code",
        "a code or a link that was used, is too old, belongs to another `request`, or never was one",
    ),
    "precondition-required": Kind(
        428, "The request must name the version that it changes", "a change without the header `If-Match`"
    ),
    "too-many-requests": Kind(
        429,
        "There were too many requests of this kind",
        "guesses, mails or sign-ins too often; again after `Retry-After` seconds",
    ),
    "head-too-large": Kind(431, "The head of the request is too large", "more than 8 KiB, or more than 64 fields"),
    "internal-error": Kind(500, "Something went wrong on our side", "our fault; the log has it"),
    "busy": Kind(
        503,
        "Too many purchases are waiting",
        "too many purchases wait in this process; try again after `Retry-After` seconds",
    ),
    "too-many-connections": Kind(
        503,
        "There are too many connections",
        "of all clients, or of this one; use fewer, or try again after `Retry-After` seconds",
    ),
    "passwords-busy": Kind(
        503,
        "Too many passwords are being checked",
        "more people sign in or up than passwords can be hashed; try again after `Retry-After` seconds",
    ),
    "unavailable": Kind(
        503,
        "A server that this request needs does not answer",
        "`server` names who did not answer; try again after `Retry-After` seconds",
    ),
}

REFUSALS: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_EVENT: "unknown-event",
    Reason.EVENT_NOT_OPEN: "event-not-open",
    Reason.UNKNOWN_TICKET_TYPE: "unknown-ticket-type",
    Reason.NOT_ON_SALE: "not-on-sale",
    Reason.ORDER_LIMIT_EXCEEDED: "order-limit-exceeded",
    Reason.PURCHASE_LIMIT_EXCEEDED: "purchase-limit-exceeded",
    Reason.HOLD_TOO_LONG: "hold-too-long",
    Reason.HOLD_LIMIT_EXCEEDED: "hold-limit-exceeded",
    Reason.HOLD_TOO_SOON: "hold-too-soon",
    Reason.CAPACITY_EXCEEDED: "capacity-exceeded",
    Reason.SOLD_OUT: "sold-out",
    Reason.MIXED_CURRENCIES: "mixed-currencies",
    Reason.ID_REUSED: "idempotency-key-reused",
    Reason.NOT_HELD: "not-held",
    Reason.NOTHING_TO_CANCEL: "nothing-to-cancel",
    Reason.TOO_MANY_CHANGES: "too-many-changes",
}


class Fault(msgspec.Struct, frozen=True):
    """One wrong field: what is wrong with it, and where it is as a JSON pointer (or ``?name`` of a parameter)."""

    detail: str
    pointer: str


class ApiError(Exception):
    """Anything that the API itself raises."""


class Refused(ApiError):
    """The request can't be granted; ``kind`` is a key of PROBLEMS."""

    def __init__(
        self, kind: str, detail: str = "", *faults: Fault, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail or PROBLEMS[kind].title)
        self.headers = headers or {}
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.extra = extra


class Unavailable(ApiError):
    """``server`` is the name that /health/ready has for it."""

    def __init__(self, server: str, detail: str = "") -> None:
        super().__init__(detail or f"{server} does not answer")
        self.server = server
        self.detail = detail or f"{server} does not answer; try again with the same request"


def retry_later(kind: str, seconds: float, detail: str = "") -> Refused:
    """The refusal of a request that may be sent again after so many seconds: whole ones, one at least."""
    return Refused(kind, detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def wrong(pointer: str, detail: str) -> Refused:
    """The refusal of one field."""
    return Refused("invalid-input", "", Fault(detail, pointer))


def problem(kind: str, detail: str = "", faults: tuple[Fault, ...] = (), **extra: Any) -> Response:
    """The answer for a row of the table."""
    return Response(problem_json(kind, detail, faults, **extra), PROBLEMS[kind].status, mimetype=MEDIA_TYPE)


def problem_json(kind: str, detail: str = "", faults: tuple[Fault, ...] = (), **extra: Any) -> bytes:
    """The body for a row of the table."""
    row = PROBLEMS[kind]
    body: dict[str, Any] = {"type": f"/problems/{kind}", "title": row.title, "status": row.status}
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = faults
    return msgspec.json.encode(body | extra)


def refusal(error: Refused) -> Response:
    """The answer for a refused request."""
    answer = problem(error.kind, error.detail, error.faults, **error.extra)
    answer.headers.update(error.headers)
    return answer


def unavailable(error: Unavailable) -> Response:
    """503: nothing was promised, and the same request may be sent again."""
    answer = problem("unavailable", error.detail, server=error.server)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
