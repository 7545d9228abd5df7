"""What every request to a worker's web server passes: its read token, the limit on requests, problems for what fails.

A token is a bearer token, or the password of HTTP Basic, which browsers ask for.
"""

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Sequence
from hmac import compare_digest
from typing import Final

from aiohttp import web

from streams.runtime.web_problems import MEDIA_TYPE, RETRY_AFTER_S, RequestProblem

REQUESTS_MAX: Final = 200
CHALLENGE: Final = 'Basic realm="Turnstile", charset="UTF-8", Bearer realm="Turnstile"'
# For supervisors and Prometheus, whatever else is going on.
UNGUARDED_PATHS: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
SAFE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
PROBLEM_HEADERS: Final = {401: {"WWW-Authenticate": CHALLENGE}, 503: {"Retry-After": str(RETRY_AFTER_S)}}
_KINDS: Final = {404: "not-found", 405: "method-not-allowed"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


def make_guard(tokens: Sequence[str] = (), requests_max: int = REQUESTS_MAX) -> Middleware:
    """The middleware of one server. It answers at most ``requests_max`` requests at a time, with one of the tokens."""
    running = 0

    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal running
        if request.path in UNGUARDED_PATHS:
            return await handler(request)
        if not _is_allowed(request, tokens):
            return problem_response(RequestProblem("unauthorized"))
        if running >= requests_max:
            return problem_response(RequestProblem("busy"))
        running += 1
        try:
            return await _answer(request, handler)
        finally:
            running -= 1

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await admit(request, handler)
        if not response.prepared:
            for name, value in SAFE_HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return guard


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestProblem as problem:
        return problem_response(problem)
    except web.HTTPException as error:
        if error.status not in _KINDS:
            raise
        response = problem_response(RequestProblem(_KINDS[error.status]))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return problem_response(RequestProblem("internal-error"))


def problem_response(problem: RequestProblem) -> web.Response:
    """The answer with a problem."""
    headers = PROBLEM_HEADERS.get(problem.status, {})
    return web.Response(body=problem.body(), status=problem.status, content_type=MEDIA_TYPE, headers=headers)


def _is_allowed(request: web.Request, tokens: Sequence[str]) -> bool:
    """Whether the request has one of the tokens. Without tokens everybody may read."""
    given = _token_of(request.headers.get("Authorization", ""))
    return not tokens or any(compare_digest(given, token.encode()) for token in tokens)


def _token_of(header: str) -> bytes:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode(errors="surrogateescape")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
    except (ValueError, binascii.Error):
        return b""
