"""Every problem that the API answers with (RFC 9457), in one table, and the two errors that become one.

ApiError
├── Refused       the request can't be granted: a row of PROBLEMS, with what is wrong
└── Unavailable   a server that the request needs does not answer: 503 with Retry-After
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from flask import Response

from tables.reasons import Reason

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: the problem's status and its title, which never changes."""

    status: int
    title: str


PROBLEMS: Final[dict[str, Kind]] = {
    "malformed-request": Kind(400, "The request cannot be read"),
    "idempotency-key-missing": Kind(400, "The header Idempotency-Key is missing or unusable"),
    "unauthorized": Kind(401, "The request needs a valid token"),
    "wrong-credentials": Kind(401, "Address and password do not fit together"),
    "forbidden": Kind(403, "This is not yours to do"),
    "not-found": Kind(404, "There is no such resource"),
    "method-not-allowed": Kind(405, "The resource does not know this method"),
    "already-exists": Kind(409, "There is a resource with this id already"),
    "email-taken": Kind(409, "There is an account with this e-mail address already"),
    "transition-refused": Kind(409, "The event cannot change to this status"),
    "too-many-ticket-types": Kind(409, "The event has as many ticket types as it may have"),
    "still-running": Kind(409, "A request with this Idempotency-Key is still running"),
    "sold-out": Kind(409, "There are not enough tickets left"),
    "not-on-sale": Kind(409, "The tickets are not on sale now"),
    "event-not-open": Kind(409, "The event sells no tickets now"),
    "order-limit-exceeded": Kind(409, "One purchase may not have so many tickets"),
    "purchase-limit-exceeded": Kind(409, "One account may not have so many tickets"),
    "capacity-exceeded": Kind(409, "The event has not enough room left"),
    "mixed-currencies": Kind(409, "One purchase cannot have prices in several currencies"),
    "body-too-large": Kind(413, "The body is too large"),
    "unsupported-media-type": Kind(415, "The body is not application/json"),
    "invalid-input": Kind(422, "The request has fields that are missing or wrong"),
    "unknown-account": Kind(422, "There is no such account"),
    "unknown-event": Kind(422, "There is no such event on sale"),
    "unknown-ticket-type": Kind(422, "The event has no such ticket type"),
    "idempotency-key-reused": Kind(422, "This Idempotency-Key was used with another body"),
    "too-many-requests": Kind(429, "There were too many requests of this kind"),
    "internal-error": Kind(500, "Something went wrong on our side"),
    "unavailable": Kind(503, "A server that this request needs does not answer"),
}

REFUSALS: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_EVENT: "unknown-event",
    Reason.EVENT_NOT_OPEN: "event-not-open",
    Reason.UNKNOWN_TICKET_TYPE: "unknown-ticket-type",
    Reason.NOT_ON_SALE: "not-on-sale",
    Reason.ORDER_LIMIT_EXCEEDED: "order-limit-exceeded",
    Reason.PURCHASE_LIMIT_EXCEEDED: "purchase-limit-exceeded",
    Reason.CAPACITY_EXCEEDED: "capacity-exceeded",
    Reason.SOLD_OUT: "sold-out",
    Reason.MIXED_CURRENCIES: "mixed-currencies",
    Reason.ID_REUSED: "idempotency-key-reused",
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


def wrong(pointer: str, detail: str) -> Refused:
    """The refusal of one field."""
    return Refused("invalid-input", "", Fault(detail, pointer))


def problem(kind: str, detail: str = "", faults: tuple[Fault, ...] = (), **extra: Any) -> Response:
    """The answer for a row of the table."""
    row = PROBLEMS[kind]
    body: dict[str, Any] = {"type": f"/problems/{kind}", "title": row.title, "status": row.status}
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = faults
    return Response(msgspec.json.encode(body | extra), row.status, mimetype=MEDIA_TYPE)


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
