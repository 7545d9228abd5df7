"""Responses without Flask, sent whole; and the types of ASGI and of the fast path."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from msgspec import Struct

from api.problem_kinds import PROBLEMS
from api.problems import MEDIA_TYPE, RETRY_AFTER_S, Fault, Refused, Unavailable, problem_json
from api.web.security_headers import DATA
from telemetry.rate_limited import RateLimitedLog

log = logging.getLogger(__name__)
outages = RateLimitedLog(log)

JSON: Final = "application/json"
# In a request's scope: set once its client has disconnected.
DISCONNECTED: Final = "turnstile.disconnected"
_SECURITY: Final = [(name.lower().encode(), value.encode()) for name, value in DATA.items()]
_SECURITY_TEXT: Final = "".join(f"{name}: {value}\r\n" for name, value in DATA.items())
_CLOSE: Final = "connection: close\r\n"
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

# ASGI (version 3) in types.
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Fields = Mapping[bytes, bytes]


class RawResponse(Struct, frozen=True, gc=False):
    """Status, media type, further headers, and body."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

    def fields(self) -> list[tuple[bytes, bytes]]:
        """All headers, as for ASGI."""
        own = [(b"content-type", self.media_type.encode()), (b"content-length", b"%d" % len(self.body))]
        more = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        return [*own, *more, *_SECURITY]

    def encode(self, date: bytes, *, is_last: bool) -> bytes:
        """The response as HTTP/1.1; ``is_last`` ends the connection. No header's value may come from a client."""
        more = [f"{name}: {value}\r\n" for name, value in self.headers.items()]
        head = (
            f"HTTP/1.1 {_PHRASES[self.status]}\r\ndate: {date.decode()}\r\ncontent-type: {self.media_type}\r\n"
            f"content-length: {len(self.body)}\r\n{''.join(more)}{_SECURITY_TEXT}{_CLOSE if is_last else ''}\r\n"
        )
        return head.encode("latin-1") + self.body

    async def send(self, send: Send) -> int:
        """Send it by ASGI; its status."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.fields()})
        await send({"type": "http.response.body", "body": self.body})
        return self.status


def problem(kind: str, faults: tuple[Fault, ...] = ()) -> RawResponse:
    """The answer for a row of PROBLEMS."""
    return refused(Refused(kind, "", *faults))


def refused(error: Refused) -> RawResponse:
    """The answer for a refused request."""
    body = problem_json(error.kind, error.detail, error.faults, **error.extra)
    return RawResponse(error.status, MEDIA_TYPE, error.headers, body)


def unavailable(error: Unavailable, asked: str) -> RawResponse:
    """503: nothing was promised, and the same request may be sent again. It is logged with what was asked."""
    log_outage(error, asked)
    body = problem_json("unavailable", error.detail, server=error.server)
    return RawResponse(PROBLEMS["unavailable"].status, MEDIA_TYPE, {"Retry-After": str(RETRY_AFTER_S)}, body)


def log_outage(error: Unavailable, asked: str) -> None:
    """Log which server did not answer and by what error, twice a minute at most."""
    cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
    outages.warning(error.server, "%s: %s%s", asked, error, cause)


def unexpected(error: Exception, path: str) -> RawResponse:
    """The answer to an unexpected error, which is logged and not shown."""
    log.error("%s failed", path, exc_info=error)
    return problem("internal-error")


async def or_problem(answer: Awaitable[RawResponse], path: str) -> RawResponse:
    """The answer, or the problem that is raised instead."""
    try:
        return await answer
    except Refused as error:
        return refused(error)
    except Unavailable as error:
        return unavailable(error, path)
    except Exception as error:  # noqa: BLE001 (whatever it is, the client sees nothing of it)
        return unexpected(error, path)


class FastApplication(Protocol):
    """An ASGI application that answers some requests in the loop more cheaply."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """The answer to a request without repeated header fields; None for one that is left to ASGI.

        The server sets DISCONNECTED in ``scope``, as in the scope of a request by ASGI.
        """
