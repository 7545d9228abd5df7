"""The two errors that lead to a problem (RFC 9457; its kinds are in api/problem_kinds.py), and the body of one.

ApiError
├── Refused       the request is refused: a row of PROBLEMS, with details
└── Unavailable   a server that the request needs does not answer: 503 with Retry-After
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.problem_kinds import PROBLEMS

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
# For requests beyond a limit on concurrency.
BUSY_FOR_S: Final = 1


class Fault(msgspec.Struct, frozen=True):
    """A wrong field: what is wrong, and its JSON pointer (or ``?name`` for a parameter)."""

    detail: str
    pointer: str


class ApiError(Exception):
    """The base of the errors that the API raises."""


class Refused(ApiError):
    """The request is refused; ``kind`` is a key of PROBLEMS."""

    def __init__(
        self, kind: str, detail: str = "", *faults: Fault, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail or PROBLEMS[kind].title)
        self.headers = headers or {}
        self.status = PROBLEMS[kind].status
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.extra = extra


class Unavailable(ApiError):
    """A server does not answer; ``server`` is its name in /health/ready."""

    def __init__(self, server: str, detail: str = "") -> None:
        super().__init__(detail or f"{server} does not answer")
        self.server = server
        self.detail = detail or f"{server} does not answer; try again with the same request"


def retry_later(kind: str, seconds: float, detail: str = "") -> Refused:
    """The refusal of a request that may be sent again after ``seconds``, rounded up to at least 1."""
    return Refused(kind, detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def wrong(pointer: str, detail: str) -> Refused:
    """The refusal of one field."""
    return Refused("invalid-input", "", Fault(detail, pointer))


def problem_json(kind: str, detail: str = "", faults: tuple[Fault, ...] = (), **extra: Any) -> bytes:
    """The body for a row of PROBLEMS, as JSON."""
    row = PROBLEMS[kind]
    body: dict[str, Any] = {"type": f"/problems/{kind}", "title": row.title, "status": row.status}
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = faults
    return msgspec.json.encode(body | extra)
