"""The access log: a line for each answered request, without query, body and client."""

import logging
import time
from collections.abc import Awaitable, Callable

from api.web.raw_response import FastApplication, Fields, Message, RawResponse, Receive, Scope, Send

log = logging.getLogger(__name__)


class AccessLog:
    """Wraps the application ``inner``; logs each answer when it begins."""

    def __init__(self, inner: FastApplication, clock: Callable[[], float] = time.monotonic) -> None:
        self.inner = inner
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began = self._clock()

        async def log_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log(scope["method"], scope["path"], message["status"], began)
            await send(message)

        await self.inner(scope, receive, log_and_send)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """The answer of the inner application's fast path."""
        answer = self.inner.take(method, target, fields, body, scope)
        return None if answer is None else self._logged(answer, method.decode(), target.decode())

    async def _logged(self, answer: Awaitable[RawResponse], method: str, path: str) -> RawResponse:
        began = self._clock()
        reply = await answer
        self._log(method, path, reply.status, began)
        return reply

    def _log(self, method: str, path: str, status: int, began: float) -> None:
        took_ms = round((self._clock() - began) * 1000, 1)
        log.info("answered", extra={"method": method, "path": path, "status": status, "ms": took_ms})
