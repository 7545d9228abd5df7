"""The log of accesses: a line for each request that was answered, without its query, its body or its client."""

import logging
import time
from collections.abc import Awaitable, Callable

from api.web.raw_response import Fields, Message, Receive, Reply, Scope, Send, Served

log = logging.getLogger(__name__)


class Accesses:
    """The application ``inner``, whose answers are logged when they begin."""

    def __init__(self, inner: Served, clock: Callable[[], float] = time.monotonic) -> None:
        self.inner = inner
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began = self._clock()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tell(scope["method"], scope["path"], message["status"], began)
            await send(message)

        await self.inner(scope, receive, told)

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Awaitable[Reply] | None:
        """The answer of the inner application's fast path."""
        answer = self.inner.take(method, target, fields, body)
        return None if answer is None else self._told(answer, method.decode(), target.decode())

    def answered(self, status: int | None, began: float) -> None:
        """Hand it on."""
        self.inner.answered(status, began)

    async def _told(self, answer: Awaitable[Reply], method: str, path: str) -> Reply:
        began = self._clock()
        reply = await answer
        self._tell(method, path, reply.status, began)
        return reply

    def _tell(self, method: str, path: str, status: int, began: float) -> None:
        taken = round((self._clock() - began) * 1000, 1)
        log.info("answered", extra={"method": method, "path": path, "status": status, "ms": taken})
