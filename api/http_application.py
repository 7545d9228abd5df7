"""The ASGI application: the fast path and liveness in the loop, everything else by Flask in threads."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from api.purchasing.service import PATH, PurchaseFastPath
from api.schemas.health import Liveness
from api.telemetry.request_metrics import ROUTE, RequestCounters
from api.web.raw_response import DISCONNECTED, JSON, Fields, RawResponse, Receive, Scope, Send
from api.web.responses import BASE
from api.web.wsgi_threads import WsgiThreads

# Answered even if all threads are busy.
_LIVE: Final = frozenset({"/health/live", f"{BASE}/health/live"})
_IS_LIVE: Final = RawResponse(200, JSON, {}, Liveness().model_dump_json().encode())
# The answer to a payment that its fast path takes (api/routes/payment_fast_path.py); None for every other request.
TakePayment = Callable[[bytes, bytes, Fields, bytes], Awaitable[RawResponse] | None]
# The routes of the fast paths.
PURCHASES_ROUTE: Final = PATH
PAYMENT_ROUTE: Final = f"{PURCHASES_ROUTE}/<purchaseId>/payment"
WEBHOOK_ROUTE: Final = f"{BASE}/payment-webhooks/<provider>"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAILED: Final = 500
ABORTED: Final = "aborted"
# Below these a password is hashed, if something is changed.
_PASSWORD_PATHS: Final = (
    f"{BASE}/sessions",
    f"{BASE}/accounts",
    f"{BASE}/password-resets",
    "/sign-in",
    "/sign-up",
    "/links/confirm",
    "/links/reset",
    "/account",
)


class HttpApplication:
    """Gets whole requests (api/http/connection.py): some by its fast path, the others by ASGI.

    Requests that hash a password have ``password_threads``: while they wait for their turn, the others go on.
    """

    def __init__(
        self,
        fast: PurchaseFastPath,
        threads: WsgiThreads,
        counters: RequestCounters,
        password_threads: WsgiThreads | None = None,
        payment: TakePayment = lambda *_: None,
    ) -> None:
        self._fast = fast
        self._threads = threads
        self._counters = counters
        self._password_threads = password_threads or threads
        self._payment = payment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        began, status = time.perf_counter(), None
        self._counters.in_flight += 1
        try:
            body = (await receive()).get("body", b"")
            status = await self._answer(scope, body, send)
        except Exception:
            status = FAILED
            raise
        finally:
            self._counters.in_flight -= 1
            sent = None if scope.get(DISCONNECTED) else status
            self._count(scope["method"], scope.get(ROUTE, PURCHASES_ROUTE), sent, began)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """The answer to a request that a fast path takes, which is counted; None for everything else."""
        answer = self._taken(method, target, fields, body)
        return None if answer is None else self._counted(answer, fast_route(target), scope)

    async def _counted(self, answer: Awaitable[RawResponse], route: str, scope: Scope) -> RawResponse:
        began, status = time.perf_counter(), FAILED
        self._counters.in_flight += 1
        try:
            reply = await answer
            status = reply.status
            return reply
        finally:
            self._counters.in_flight -= 1
            self._count("POST", route, None if scope.get(DISCONNECTED) else status, began)

    def _count(self, method: str, route: str, status: int | None, began: float) -> None:
        """Count a request that began at ``began`` (perf_counter); ``status`` is None if its client disconnected."""
        place = (method if method in METHODS else "other", route)
        self._counters.counts[(*place, str(status) if status else ABORTED)] += 1
        self._counters.seconds[place].add(time.perf_counter() - began)

    async def _answer(self, scope: Scope, body: bytes, send: Send) -> int:
        if answer := self._simple(scope, body):
            return await (await answer).send(send)
        if scope["path"] in _LIVE and scope["method"] == "GET":
            scope[ROUTE] = scope["path"]
            return await _IS_LIVE.send(send)
        threads = self._password_threads if hashes_password(scope) else self._threads
        return await threads.answer(scope, body, send)

    def _simple(self, scope: Scope, body: bytes) -> Awaitable[RawResponse] | None:
        """The answer to a request that a fast path takes and that came behind another one, or from elsewhere."""
        fields, target = dict(scope["headers"]), scope["path"].encode()
        if scope["query_string"] or len(fields) != len(scope["headers"]):
            return None
        answer = self._taken(scope["method"].encode(), target, fields, body)
        if answer is not None:
            scope[ROUTE] = fast_route(target)
        return answer

    def _taken(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Awaitable[RawResponse] | None:
        return self._fast.take(method, target, fields, body) or self._payment(method, target, fields, body)


def fast_route(target: bytes) -> str:
    """The route of a request that a fast path has taken."""
    if target.endswith(b"/payment"):
        return PAYMENT_ROUTE
    return WEBHOOK_ROUTE if b"/payment-webhooks/" in target else PURCHASES_ROUTE


def hashes_password(scope: Scope) -> bool:
    """Whether the answer may take a turn at hashing."""
    return scope["method"] not in ("GET", "HEAD") and scope["path"].startswith(_PASSWORD_PATHS)
