"""JSON over HTTP/1.1 in an event loop, for a provider near by: many calls at once, over few kept connections.

Requests follow each other on a connection without waiting for answers, which come in their order (RFC 9112, section
9.3.2). A call has one total deadline, a few retries, and every failure as ProviderUnavailable. So what is sent must
bear repeats: ours have an id.
"""

import asyncio
from collections import deque
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from httptools import HttpParserError, HttpResponseParser

from providers.http import ANSWER_MAX_BYTES, TRANSIENT, Tries
from providers.port import CALL_TIMEOUT_S, ProviderUnavailable

CONNECTIONS_MAX: Final = 8
# Those below are followed by the final answer, but for the one that ends HTTP (RFC 9110, section 15.2).
FINAL_MIN, SWITCHING = 200, 101

# Status and body.
Answer = tuple[int, bytes]


class _Connection(asyncio.Protocol):
    """A connection, and the requests that wait for their answers, in their order."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.Future[Answer]] = deque()
        self.is_closed = False
        self._unsent = bytearray()
        self._body = bytearray()
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None

    def open(self, host: str, port: int, *, tls: bool) -> None:
        """Begin to connect."""
        self._opening = asyncio.create_task(self._open(host, port, tls=tls))

    async def ask(self, request: bytes, timeout_s: float) -> Answer:
        """The answer to a request. Raises OSError. The connection ends with a timeout, or a caller who gives up."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self.waiting.append(answer)
        if self._transport is None:
            self._unsent += request
        else:
            self._transport.write(request)
        timer = loop.call_later(timeout_s, self.close)  # or the next request would get this answer
        try:
            return await answer
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the connection. Those who wait get an OSError."""
        self._end(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what has come meanwhile."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        if self.is_closed:
            self._transport.abort()
        else:
            self._transport.write(bytes(self._unsent))

    def data_received(self, data: bytes) -> None:
        """Read answers."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Those who wait get an OSError."""
        self._end(exc)

    def on_body(self, body: bytes) -> None:
        """A part of an answer."""
        self._body += body
        if len(self._body) > ANSWER_MAX_BYTES:
            self.close()

    def on_message_complete(self) -> None:
        """An answer is whole."""
        status, body = self._parser.get_status_code(), bytes(self._body)
        self._body.clear()
        if status < FINAL_MIN and status != SWITCHING:
            return  # the answer is yet to come
        if self.waiting and not self.is_closed:
            answer = self.waiting.popleft()
            if not answer.done():
                answer.set_result((status, body))
        elif not self.is_closed:
            self.close()  # or an answer that nobody asked for would be that to the next request
        if not self._parser.should_keep_alive():
            self.close()

    async def _open(self, host: str, port: int, *, tls: bool) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, host, port, ssl=tls or None)
        except OSError as error:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()
        for answer in self.waiting:
            if not answer.done():
                answer.set_exception(ConnectionResetError(f"the connection has ended: {error!r}"))
        self.waiting.clear()


class PipelinedClient:
    """Calls one server, within one event loop."""

    def __init__(self, url: str, headers: dict[str, str], timeout_s: float = CALL_TIMEOUT_S) -> None:
        place = urlsplit(url)
        self._tls = place.scheme == "https"
        self._host, self._port = place.hostname or "", place.port or (443 if self._tls else 80)
        self._path = place.path.rstrip("/")
        self._headers = _lines({"Host": place.netloc, **headers})
        self._timeout_s = timeout_s
        self._connections: list[_Connection] = []

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status and the JSON of the answer. Raises ProviderUnavailable."""
        content = b"" if body is None else msgspec.json.encode(body)
        lines = _lines({"Content-Length": str(len(content)), **headers})
        request = f"{method} {self._path}{path} HTTP/1.1\r\n{self._headers}{lines}\r\n".encode() + content
        status, answer = await self._send(request)
        try:
            return status, msgspec.json.decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderUnavailable(f"status {status} without JSON") from error

    async def _send(self, request: bytes) -> Answer:
        tries = Tries(self._timeout_s)
        while True:
            try:
                return await self._once(request, tries.left_s())
            except ProviderUnavailable as error:
                await asyncio.sleep(tries.pause_s(error))

    async def _once(self, request: bytes, timeout_s: float) -> Answer:
        try:
            status, body = await self._connection().ask(request, timeout_s)
        except OSError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status in TRANSIENT:
            raise ProviderUnavailable(f"status {status}")
        return status, body

    def _connection(self) -> _Connection:
        """The connection with the fewest requests, or another one where all have some."""
        self._connections = [each for each in self._connections if not each.is_closed]
        least = min(self._connections, key=lambda each: len(each.waiting), default=None)
        if least is None or (least.waiting and len(self._connections) < CONNECTIONS_MAX):
            least = _Connection()
            least.open(self._host, self._port, tls=self._tls)
            self._connections.append(least)
        return least


def _lines(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
