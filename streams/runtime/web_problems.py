"""The problems that a worker's web views answer with (RFC 9457), in one table."""

from typing import Any, Final, NamedTuple

import msgspec

from tables.errors import TurnstileError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1


class ViewProblem(NamedTuple):
    """A row of the table: the problem's status, its title, and when it occurs."""

    status: int
    title: str
    when: str


VIEW_PROBLEMS: Final[dict[str, ViewProblem]] = {
    "unauthorized": ViewProblem(401, "The request needs a valid token", "no read token, or an invalid one"),
    "not-found": ViewProblem(404, "There is no such resource", "no record of this id, or no such path"),
    "method-not-allowed": ViewProblem(405, "The resource does not support this method", "anything but GET and HEAD"),
    "history-gone": ViewProblem(
        410, "The log no longer reaches back so far", "`asOf` is before the log's beginning, and no snapshot is older"
    ),
    "invalid-input": ViewProblem(
        422, "The request has fields that are missing or wrong", "`errors` lists the parameters"
    ),
    "internal-error": ViewProblem(
        500, "Something went wrong on our side", "an error of the worker; its log has the cause"
    ),
    "busy": ViewProblem(503, "Too many requests at once", "try again after `Retry-After` seconds"),
    "history-too-long": ViewProblem(
        503,
        "The log up to this moment is too long for a view",
        "ask `turnstile event --as-of`, which has no such limit",
    ),
    "partition-unavailable": ViewProblem(
        503,
        "No worker can answer for this partition now",
        "it is being recovered or is moving to another worker, or its owner does not answer",
    ),
}


class RequestProblem(TurnstileError):
    """A request is answered with a problem; ``kind`` is a key of VIEW_PROBLEMS."""

    def __init__(self, kind: str, detail: str = "", pointer: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.detail = detail
        self.pointer = pointer

    @property
    def status(self) -> int:
        return VIEW_PROBLEMS[self.kind].status

    def body(self) -> bytes:
        """The body of the answer, as JSON."""
        row = VIEW_PROBLEMS[self.kind]
        body: dict[str, Any] = {"type": f"/problems/{self.kind}", "title": row.title, "status": row.status}
        if self.pointer:
            body["errors"] = [{"detail": self.detail, "pointer": self.pointer}]
        elif self.detail:
            body["detail"] = self.detail
        return msgspec.json.encode(body)


def invalid_parameter(name: str, detail: str) -> RequestProblem:
    """The problem of one query parameter."""
    return RequestProblem("invalid-input", detail, f"?{name}")


def unavailable(detail: str) -> RequestProblem:
    """The problem that a partition can't be read now."""
    return RequestProblem("partition-unavailable", detail)
