"""A client's connection: uvicorn's protocol with limits on size and time. A refusal is the connection's last answer.

A request is answered once it is whole, so an incomplete one is never carried out (RFC 9112, section 8).
"""

import asyncio
import fcntl
import re
import termios
from collections.abc import Awaitable
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle as Cycle

from api.auth.clients import client_of
from api.http import limits
from api.problems import BUSY_FOR_S, Refused, retry_later
from api.web.body_sizes import BODY_MAX_BYTES, LARGE_BODIES_MAX, body_max_bytes
from api.web.early_refusals import refusal
from api.web.raw_response import DISCONNECTED, FastApplication, RawResponse

FIELD_OVERHEAD_BYTES: Final = 4  # a colon, a space, and the end of the line
# uri-host [":" port] (RFC 3986), which a request has once (RFC 9112, section 3.2).
HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
is_host: Final = lru_cache(maxsize=1_024)(HOST.fullmatch)


class ConnectionPhase(StrEnum):
    """What a connection waits for: a request, its head, body or answer, or its own end. Each names its time limit."""

    IDLE = "idle_s"
    HEAD = "head_s"
    BODY = "body_s"
    ANSWER = "answer_s"
    CLOSE = "unread_s"
    LINGER = "linger_s"


IDLE, HEAD, BODY, ANSWER, CLOSE, LINGER = ConnectionPhase


class HttpConnection(HttpToolsProtocol):
    """Answers requests in their order. ``phase`` is that of the oldest request, since ``since``."""

    app: FastApplication
    server_state: limits.Connections
    phase = reading = IDLE
    _answering: Any = None
    _refused: Refused | None = None
    _partial_bytes = _lingered_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._read(IDLE)
        state, most = self.server_state, self.server_state.limits
        self._client_key = client_of(self.client[0] if self.client else None)
        state.clients[self._client_key] += 1
        if state.clients[self._client_key] > most.connections_per_client or len(state.connections) > most.connections:
            self._refuse(retry_later("too-many-connections", BUSY_FOR_S))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self.cycle = self._answering  # this one is told, not the newest
            self.cycle.scope[DISCONNECTED] = not self.cycle.response_complete  # type: ignore[typeddict-unknown-key]
        super().connection_lost(exc)
        self.server_state.large_bodies.discard(self)
        self.server_state.clients[self._client_key] -= 1
        if not self.server_state.clients[self._client_key]:
            del self.server_state.clients[self._client_key]

    def data_received(self, data: bytes) -> None:
        """Read it in pieces, so that a head without an end is soon found to be too large."""
        if self._refused:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > limits.LINGER_MAX_BYTES:
                self.transport.abort()
            self.transport.pause_reading()
            self.loop.call_later(limits.LINGER_PAUSE_S, self.transport.resume_reading)
            return
        try:
            for start in range(0, len(data), limits.HEAD_MAX_BYTES):
                self._parse(data[start : start + limits.HEAD_MAX_BYTES])
        except (Refused, HttpParserError) as error:
            cause = error.__context__ or error
            self._refuse(cause if isinstance(cause, Refused) else Refused("malformed-request"))
        except HttpParserUpgrade:
            # Ignored, and so is what follows it, which is not HTTP/1.1 any more.
            self.answer_last()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more, and gets the answers to its whole requests."""
        if self.reading is IDLE:
            self.answer_last()
        elif not self._refused:
            self._refuse(Refused("malformed-request"))
        return self.phase is ANSWER

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= limits.PIPELINE_MAX_REQUESTS:
            self.transport.abort()
            raise Refused("malformed-request")
        self.url, self.headers, self._chunks, self.expect_100_continue = b"", [], 0, False
        self._body, self._body_max_bytes = bytearray(), BODY_MAX_BYTES
        self._read(HEAD)

    def on_headers_complete(self) -> None:
        size = len(self.url) + len(self.headers) * FIELD_OVERHEAD_BYTES + len(b"".join(chain(*self.headers)))
        if size > limits.HEAD_MAX_BYTES or len(self.headers) > limits.HEAD_MAX_FIELDS:
            raise Refused("head-too-large")
        self._fields, self._count = dict(self.headers), len(self.headers)
        host = self._fields.get(b"host", b"none" if self.parser.get_http_version() == "1.0" else b"")
        has_two = len(self._fields) < self._count and [name for name, _ in self.headers].count(b"host") > 1
        if has_two or not is_host(host):
            raise Refused("malformed-request")
        length = int(self._fields.get(b"content-length", 0))
        if length > BODY_MAX_BYTES:
            self._check_large_body(length)
        self._read(BODY)
        if self.expect_100_continue and self.phase is not ANSWER and self.parser.get_http_version() == "1.1":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > limits.BODY_MAX_CHUNKS:
            raise Refused("body-too-large")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._body_max_bytes:
            raise Refused("body-too-large")

    def on_message_complete(self) -> None:
        """The request is whole: the fast path answers it, or uvicorn after those before it."""
        if len(self.headers) > limits.HEAD_MAX_FIELDS:
            raise Refused("body-too-large")
        self.reading = IDLE
        if self.transport.is_closing():
            return
        scope: Any = {"method": self.parser.get_method().decode()}
        url, headers, answer = self.url, self.headers[: self._count], None
        if self.phase is not ANSWER and len(self._fields) == self._count and b"_" not in b"".join(self._fields):
            answer = self.app.take(self.parser.get_method(), url, self._fields, bytes(self._body), scope)
        if answer is None:
            super().on_message_begin()
            # In WSGI, one with an underscore would have another header's name. Trailers are left out too.
            self.url, self.scope["headers"] = url, [header for header in headers if b"_" not in header[0]]
            super().on_headers_complete()
            self.cycle.body, self.cycle.more_body, self._body = self._body, False, bytearray()
            self.cycle.message_event.set()
        else:
            log, event, then = self.logger, asyncio.Event(), self.on_response_complete
            keeps = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
            self.cycle = Cycle(scope, self.transport, self.flow, log, log, False, [], event, False, keeps, then)
            self._start_asgi_task(self.cycle, lambda *_: self._reply(answer))

    def on_response_complete(self) -> None:
        if not self.pipeline and self.reading is not BODY:
            self.server_state.large_bodies.discard(self)
        self.flow.resume_reading()
        if self.transport.is_closing():
            self._enter(CLOSE)
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._enter(self.reading)
            if self._refused:
                self._refuse(self._refused)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()

    def enforce_timeouts(self, now: float) -> None:
        if self.flow.write_paused and now - self._unread_since > self.server_state.limits.unread_s:
            self.transport.abort()
        elif now - self.since > getattr(self.server_state.limits, self.phase):
            if self.phase in (HEAD, BODY):
                self._refuse(Refused("request-timeout"))
            elif self.phase is not IDLE:
                self.transport.abort()
            # Unless there are bytes in the socket's receive buffer.
            elif not any(fcntl.ioctl(self.transport.get_extra_info("socket"), termios.FIONREAD, bytes(4))):
                self._enter(CLOSE)
                self.transport.close()

    def answer_last(self) -> None:
        """Let the newest whole request be the connection's last."""
        if not self._refused and self.cycle is not None:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: Cycle, app: Any) -> None:
        self._answering = cycle
        self._enter(ANSWER)
        if self.server_state.is_stopping:
            self.answer_last()
        self._answer = self.loop.create_task(cycle.run_asgi(app))

    async def _reply(self, answer: Awaitable[RawResponse]) -> None:
        reply, cycle = await answer, self._answering
        if self.flow.write_paused:
            await self.flow.drain()
        if not cycle.disconnected:
            cycle.response_started = cycle.response_complete = True
            self.transport.write(reply.encode(self.server_state.default_headers[0][1], is_last=not cycle.keep_alive))
            if not cycle.keep_alive:
                self.transport.close()
            self.on_response_complete()

    def _parse(self, data: bytes) -> None:
        newest = self.cycle
        self.parser.feed_data(data)
        # Bytes since the last whole request, but for those that came with its end.
        self._partial_bytes = self._partial_bytes + len(data) if self.cycle is newest else 0
        # A body with the framing of its chunks and its trailers; a head, or empty lines.
        is_body = self.reading is BODY
        max_bytes = 2 * self._body_max_bytes if is_body else limits.HEAD_MAX_BYTES
        if self._partial_bytes > max_bytes or (is_body and len(self.headers) > limits.HEAD_MAX_FIELDS):
            raise Refused("body-too-large" if is_body else "head-too-large")

    def _check_large_body(self, length: int) -> None:
        if length > body_max_bytes(self.url.partition(b"?")[0].decode("latin-1")):
            raise Refused("body-too-large")
        large_bodies = self.server_state.large_bodies  # one of a connection, until it is answered
        if self in large_bodies or len(large_bodies) >= LARGE_BODIES_MAX:
            raise retry_later("uploads-busy", BUSY_FOR_S)
        large_bodies.add(self)
        self._body_max_bytes = length

    def _read(self, part: ConnectionPhase) -> None:
        """Note which part of the newest request comes next."""
        self.reading = part
        if self.phase is not ANSWER:
            self._enter(part)

    def _enter(self, phase: ConnectionPhase) -> None:
        self.phase, self.since = phase, self.loop.time()

    def _refuse(self, error: Refused) -> None:
        """Refuse the newest request, after the answers to those before it."""
        self._refused = error
        if self.phase is not ANSWER:
            self._enter(LINGER)
            answer = refusal(error, dict(self.headers or ()))
            self.transport.write(answer.encode(self.server_state.default_headers[0][1], is_last=True))
            self.transport.write_eof()
