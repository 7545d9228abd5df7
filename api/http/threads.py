"""A WSGI application in threads, so many at a time; what it defers (api/web/deferred.py) is awaited in the loop.

a2wsgi makes the environ. Its responder goes from thread to loop and back for each piece of an answer; here an answer
that is short comes back at once, with the thread.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, Final, NamedTuple

from a2wsgi.wsgi import build_environ

from api.http.protocol import GONE
from api.problems import BUSY_FOR_S, retry_later
from api.web.deferred import DEFERRED
from api.web.raw_response import Reply, Scope, Send, refused

THREADS: Final = 64
# Requests that wait for a thread; one more is refused.
WAITING_MAX: Final = 1_000
# What of an answer is taken from the application before the first of it is sent.
WHOLE_MAX_BYTES: Final = 256 * 1024

Environ = dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Answered(NamedTuple):
    """What an application has answered; ``rest`` has the pieces of a long body that are still to come."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    rest: Generator[bytes, None, None] | None


class Threads:
    """``application`` by ASGI. ``is_stopping`` ends answers that go on for as long as somebody listens."""

    def __init__(self, application: WsgiApplication, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self._application = application
        self._is_stopping = is_stopping
        self._pool = ThreadPoolExecutor(THREADS, "flask")
        self._inside = 0

    async def answer(self, scope: Scope, body: bytes, send: Send) -> int:
        """Answer a request; its status."""
        if self._inside >= THREADS + WAITING_MAX:
            return await _sent(refused(retry_later("busy", BUSY_FOR_S)), send)
        environ = _environ(scope, body)
        self._inside += 1
        try:
            answered = await self._in_thread(self._call, environ)
        finally:
            self._inside -= 1
        scope.update({name: value for name, value in environ.items() if name.startswith("turnstile.")})
        deferred = environ.get(DEFERRED)
        if deferred is None:
            return await self._send(answered, scope, send)
        if isinstance(deferred, AsyncIterator):
            return await self._stream(answered, deferred, scope, send)
        return await _sent(await deferred, send)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[..., Any], *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work, *values)

    def _call(self, environ: Environ) -> Answered:
        """In a thread."""
        started: list[Any] = []
        pieces = self._application(environ, lambda *said: started.extend(said[:2]))
        walk = iter(pieces)
        is_whole, body = _taken(walk)
        if is_whole:
            _close(pieces)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in started[1]]
        return Answered(int(started[0][:3]), headers, body, None if is_whole else _closing(walk, pieces))

    async def _send(self, answered: Answered, scope: Scope, send: Send) -> int:
        rest = answered.rest
        await send({"type": "http.response.start", "status": answered.status, "headers": answered.headers})
        await send({"type": "http.response.body", "body": answered.body, "more_body": rest is not None})
        try:
            while rest is not None and not scope.get(GONE):
                piece = await self._in_thread(next, rest, None)
                await send({"type": "http.response.body", "body": piece or b"", "more_body": piece is not None})
                if piece is None:
                    break
        finally:
            if rest is not None:
                await self._in_thread(rest.close)
        return answered.status

    async def _stream(self, begun: Answered, pieces: AsyncIterator[bytes], scope: Scope, send: Send) -> int:
        headers = [(name, value) for name, value in begun.headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": begun.status, "headers": headers})
        async with aclosing(pieces) as following:  # type: ignore[type-var]
            async for piece in following:
                if scope.get(GONE) or self._is_stopping():
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return begun.status


def _environ(scope: Scope, body: bytes) -> Environ:
    """A body that came in chunks has a length as any other."""
    environ: Environ = build_environ(scope, io.BytesIO(body))  # type: ignore[arg-type,assignment]
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


async def _sent(reply: Reply, send: Send) -> int:
    await reply.send(send)
    return reply.status


def _taken(pieces: Iterator[bytes]) -> tuple[bool, bytes]:
    """Whether that is all, and what there is up to WHOLE_MAX_BYTES and one piece."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > WHOLE_MAX_BYTES:
            return False, b"".join(taken)
    return True, b"".join(taken)


def _closing(walk: Iterator[bytes], pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    try:
        yield from walk
    finally:
        _close(pieces)


def _close(pieces: Iterable[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
