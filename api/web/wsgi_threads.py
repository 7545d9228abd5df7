"""A WSGI application in a thread pool. What it defers (api/web/deferred.py) is awaited in the server's loop.

a2wsgi makes the environ. Its responder goes from thread to loop and back for each piece of an answer; here a short
answer comes back at once, with its thread.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, Final, NamedTuple, TypeVar

from a2wsgi.wsgi import build_environ
from werkzeug.wsgi import ClosingIterator

from api.problems import BUSY_FOR_S, Unavailable, retry_later
from api.web.deferred import DEFERRED
from api.web.raw_response import DISCONNECTED, RawResponse, Scope, Send, refused

THREADS_MAX: Final = 64
# Requests that wait for a thread; one more is refused.
QUEUE_MAX_REQUESTS: Final = 1_000
# Threads that wait for a coroutine; the others stay free for requests that don't.
LOOP_CALLS_MAX: Final = 32
# Threads of requests that only look at purchases or seats, and may wait for servers that don't answer. Those that buy
# have the loop's own.
LOOK_THREADS_MAX: Final = 8
# With the wait for a thread. One look at PostgreSQL and at three workers that all hang is shorter.
LOOK_TIMEOUT_S: Final = 15.0
# A stream that has nothing to tell looks as often whether anybody listens.
STREAM_CHECK_S: Final = 1.0
# A longer answer is sent piece by piece.
SHORT_ANSWER_MAX_BYTES: Final = 256 * 1024

Environ = dict[str, Any]
Result = TypeVar("Result")
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


_look_threads: Final = ThreadPoolExecutor(LOOK_THREADS_MAX, "looks")


class WsgiAnswer(NamedTuple):
    """The answer of a WSGI application; ``rest`` has the pieces of a long body that are still to come."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    rest: ClosingIterator | None


class WsgiThreads:
    """Serves ``application`` by ASGI. ``is_stopping`` ends the streams that last as long as somebody listens."""

    def __init__(
        self,
        application: WsgiApplication,
        is_stopping: Callable[[], bool] = lambda: False,
        threads_max: int = THREADS_MAX,
        queue_max: int = QUEUE_MAX_REQUESTS,
    ) -> None:
        self._application = application
        self._is_stopping = is_stopping
        self._pool = ThreadPoolExecutor(threads_max, "flask")
        self._requests_max = threads_max + queue_max
        self._inside = 0

    async def answer(self, scope: Scope, body: bytes, send: Send) -> int:
        """Answer a request; its status."""
        if self._inside >= self._requests_max:
            return await refused(retry_later("busy", BUSY_FOR_S)).send(send)
        environ = _environ(scope, body)
        self._inside += 1
        try:
            answer = await self._in_thread(self._call, environ)
        finally:
            self._inside -= 1
        scope.update({name: value for name, value in environ.items() if name.startswith("turnstile.")})
        deferred = environ.get(DEFERRED)
        if deferred is None:
            return await self._send(answer, scope, send)
        if isinstance(deferred, AsyncIterator):
            return await self._stream(answer, deferred, scope, send)
        reply: RawResponse = await deferred
        return await reply.send(send)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[..., Any], *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work, *values)

    def _call(self, environ: Environ) -> WsgiAnswer:
        """In a thread."""
        started: list[Any] = []
        pieces = ClosingIterator(self._application(environ, lambda *given: started.extend(given[:2])))
        is_whole, body = _begin_of(pieces)
        if is_whole:
            pieces.close()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in started[1]]
        return WsgiAnswer(int(started[0][:3]), headers, body, None if is_whole else pieces)

    async def _send(self, answer: WsgiAnswer, scope: Scope, send: Send) -> int:
        rest = answer.rest
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": rest is not None})
        try:
            while rest is not None and not scope.get(DISCONNECTED):
                piece = await self._in_thread(next, rest, None)
                await send({"type": "http.response.body", "body": piece or b"", "more_body": piece is not None})
                if piece is None:
                    break
        finally:
            if rest is not None:
                await self._in_thread(rest.close)
        return answer.status

    async def _stream(self, answer: WsgiAnswer, pieces: AsyncIterator[bytes], scope: Scope, send: Send) -> int:
        headers = [(name, value) for name, value in answer.headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if scope["method"] != "HEAD":
            await self._send_pieces(pieces, scope, send)
        await send({"type": "http.response.body", "body": b""})
        return answer.status

    async def _send_pieces(self, pieces: AsyncIterator[bytes], scope: Scope, send: Send) -> None:
        async with aclosing(pieces) as following:  # type: ignore[type-var]
            coming: asyncio.Future[bytes | None] = asyncio.ensure_future(anext(following, None))
            try:
                while not (scope.get(DISCONNECTED) or self._is_stopping()):
                    done, _ = await asyncio.wait([coming], timeout=STREAM_CHECK_S)
                    if not done:
                        continue
                    if (piece := coming.result()) is None:
                        break
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    coming = asyncio.ensure_future(anext(following, None))
            finally:
                coming.cancel()
                await asyncio.wait([coming])
                if not coming.cancelled():
                    coming.exception()  # of a piece that nobody waits for any more


class LoopCaller:
    """Runs coroutines in ``loop`` for threads that wait for them, ``calls_max`` at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, calls_max: int = LOOP_CALLS_MAX) -> None:
        self._loop = loop
        self._calls = threading.BoundedSemaphore(calls_max)

    def __call__(self, coroutine: Coroutine[Any, Any, Result], /) -> Result:
        """In a thread: the coroutine's result. Refused: busy."""
        if not self._calls.acquire(blocking=False):
            coroutine.close()
            raise retry_later("busy", BUSY_FOR_S)
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        finally:
            self._calls.release()


async def look_in_thread(look: Callable[[], Result]) -> Result:
    """In the loop: what ``look`` finds, in one of the threads for that. Raises Unavailable after LOOK_TIMEOUT_S."""
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            return await asyncio.get_running_loop().run_in_executor(_look_threads, copy_context().run, look)
    except TimeoutError:
        raise Unavailable("worker", "too many wait for servers that don't answer; try again") from None


def _environ(scope: Scope, body: bytes) -> Environ:
    """A body that came in chunks has a length too."""
    environ: Environ = build_environ(scope, io.BytesIO(body))  # type: ignore[arg-type,assignment]
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _begin_of(pieces: Iterator[bytes]) -> tuple[bool, bytes]:
    """Whether these are all pieces, and those up to SHORT_ANSWER_MAX_BYTES and one."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > SHORT_ANSWER_MAX_BYTES:
            return False, b"".join(taken)
    return True, b"".join(taken)
