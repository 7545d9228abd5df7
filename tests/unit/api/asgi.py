"""An ASGI application for tests, and a client of any."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from api.web.raw_response import Application, Fields, Message, RawResponse, Receive, Scope, Send


class Answering:
    """Answers at once, both ways."""

    def __init__(self, status: int = 200) -> None:
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._reply().send(send)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        return self.answer()

    async def answer(self) -> RawResponse:
        """The answer of the fast path, which takes everything."""
        return self._reply()

    def _reply(self) -> RawResponse:
        return RawResponse(self.status, "text/plain", {}, b"done")


def ask(
    application: Application, method: str = "GET", target: str = "/", body: str = "", headers: Mapping[str, str] = {}
) -> list[dict[str, Any]]:
    """What the application sends to that request."""
    return asyncio.run(asked(application, method, target, body, headers))


async def asked(
    application: Application, method: str = "GET", target: str = "/", body: str = "", headers: Mapping[str, str] = {}
) -> list[dict[str, Any]]:
    """The same, within a loop."""
    path, _, query = target.partition("?")
    sent: list[dict[str, Any]] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(dict(message))

    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": named,
    }
    await application(scope, receive, send)
    return sent


async def awaited(answer: Awaitable[RawResponse]) -> RawResponse:
    """What comes of it, for whoever has no loop."""
    return await answer
