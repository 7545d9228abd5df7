"""A client's connection: uvicorn's, with a limit on whatever a client can make large or slow.

A request gets to the application once all of it is there, so what is incomplete is never carried out (RFC 9112,
section 8). What is refused is the connection's last.
"""

import asyncio
import fcntl
import logging
import re
import termios
import time
from array import array
from asyncio import Transport
from collections.abc import Awaitable
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.http.limits import (
    BODY_MAX_BYTES,
    HEAD_MAX_BYTES,
    HEAD_MAX_FIELDS,
    LINGER_MAX_BYTES,
    PIPELINE_MAX,
    Limits,
)
from api.http.refusal import Refusal, kind_of, refusal_bytes
from api.web.raw_response import FastPath, Reply

log = logging.getLogger(__name__)

# In a request's scope: set once its client is gone.
GONE: Final = "turnstile.gone"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# A colon, a space, and the end of the line.
FIELD_OVERHEAD_BYTES: Final = 4
# uri-host [":" port] (RFC 3986).
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


class Phase(Enum):
    """What is waited for: a request, the rest of its head or body, the application, or the end of the last answer."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    END = auto()


# How much may come of a request without an end: of empty lines before it, its head, and its body with what chunks add.
PARTIAL_MAX: Final = {
    Phase.IDLE: (HEAD_MAX_BYTES, "malformed-request"),
    Phase.HEAD: (HEAD_MAX_BYTES, "head-too-large"),
    Phase.BODY: (2 * BODY_MAX_BYTES, "body-too-large"),
}


class Clients(Protocol):
    """Who is told of connections (api/http/server.py)."""

    limits: Limits
    fast_path: FastPath | None

    @property
    def is_stopping(self) -> bool:
        """Whether each answer is its connection's last."""

    def has_room(self, peer: str) -> bool:
        """Whether the connections are not too many with one of this address that has just come."""

    def left(self, peer: str) -> None:
        """A connection of this address has ended."""


class FastCycle:
    """A request that is answered by the fast path, as uvicorn sees those that are under way."""

    disconnected = False
    response_complete = False

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.scope: dict[str, Any] = {}
        self.message_event = self

    def set(self) -> None:
        """Nobody waits for the rest of the request."""


class Connection(HttpToolsProtocol):
    """``phase`` is that of the connection's oldest request, ``since`` when (by the loop's clock)."""

    def __init__(self, clients: Clients, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients = clients
        self._limits = clients.limits
        self._fast_path = clients.fast_path
        self.phase = Phase.IDLE
        self.since = self.loop.time()
        self._unread_since: float | None = None
        # Of the newest request: what is still to be read of it, and what there was.
        self._reading = Phase.IDLE
        self._named: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._has_ended = False
        self._head_bytes = self._partial_bytes = 0
        self._answering: Any = None
        self._replying: asyncio.Task[None] | None = None
        self._refusal = ""
        self._lingered_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Let the client in, or say at once that there is no room."""
        super().connection_made(transport)
        if not self._clients.has_room(self.peer):
            self._refuse("too-many-connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, if it is answering."""
        self._leave()
        super().connection_lost(exc)
        self._clients.left(self.peer)

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Read on, unless the client was refused."""
        if self._refusal:
            self._throw_away(data)
            return
        self._has_ended = False
        try:
            self.parser.feed_data(data)
            self._count_partial(len(data))
        except Refusal as error:
            self._refuse(error.kind)
        except HttpParserError as error:
            self._refuse(kind_of(error))
        except HttpParserUpgrade:
            # The wish is ignored, and so is what follows, which is no HTTP/1.1 any more.
            self.cycle.keep_alive = False

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more, and gets the answers to what it has sent whole."""
        if not self._refusal and self._reading is not Phase.IDLE:
            self._refuse("malformed-request")
        if self.phase is Phase.ANSWER and not self._refusal:
            self.answer_last()
        return self.phase not in (Phase.IDLE, Phase.END)

    def on_message_begin(self) -> None:
        """Another request."""
        if len(self.pipeline) >= PIPELINE_MAX:
            self._abort()
            raise Refusal("malformed-request")
        self.url, self._body = b"", b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = 0
        self._read(Phase.HEAD)

    def on_url(self, url: bytes) -> None:
        """The request's target, or a piece of it."""
        self.url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. One with an underscore is left out: in WSGI it would be another one's name."""
        self._count_head(len(name) + len(value) + FIELD_OVERHEAD_BYTES)
        if len(self.headers) >= HEAD_MAX_FIELDS:
            raise Refusal("head-too-large")
        if b"_" not in name:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there; the body is to come, if the client may send it."""
        self._named = dict(self.headers)
        self._check_head()
        self._read(Phase.BODY)
        if self._named.get(b"expect", b"").lower() == b"100-continue" and self.phase is not Phase.ANSWER:
            self.transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """The body, or a piece of it."""
        if not self._body:
            self._body = body
        else:
            # Bytes would be copied for each piece, and pieces may be of a byte.
            self._body = self._body if isinstance(self._body, bytearray) else bytearray(self._body)
            self._body += body
        if len(self._body) > BODY_MAX_BYTES:
            raise Refusal("body-too-large")

    def on_message_complete(self) -> None:
        """The request is whole: now it gets to the application."""
        self._reading = Phase.IDLE
        self._has_ended = True
        if not self.transport.is_closing() and (self.phase is Phase.ANSWER or not self._take()):
            self._begin_cycle()

    def _take(self) -> bool:
        """Whether the fast path answers the request."""
        if self._fast_path is None or len(self._named) != len(self.headers):
            return False
        answer = self._fast_path.take(self.parser.get_method(), self.url, self._named, bytes(self._body))
        if answer is None:
            return False
        self._begin(FastCycle(self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()))
        self._replying = self.loop.create_task(self._reply(self._fast_path, answer, self.cycle))
        return True

    async def _reply(self, fast_path: FastPath, answer: Awaitable[Reply], cycle: Any) -> None:
        began, status = time.perf_counter(), None
        try:
            reply = await answer
            await self.flow.drain()
            if not cycle.disconnected:
                date: bytes = self.server_state.default_headers[0][1]
                self.transport.write(reply.on_the_wire(date.decode(), is_last=not cycle.keep_alive))
                status = reply.status
        except Exception:
            log.exception("the fast path failed")
        fast_path.answered(status, began)
        if status is None:
            self._abort()
            return
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _begin_cycle(self) -> None:
        """Have uvicorn make a cycle of a request that is whole, or put it behind those that came before."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        super().on_headers_complete()
        self.cycle.body.extend(self._body)
        super().on_message_complete()

    def _begin(self, cycle: Any) -> None:
        self.cycle = cycle
        self._answering = cycle
        self._enter(Phase.ANSWER)
        if self._clients.is_stopping:
            self.answer_last()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer."""
        newest = self.cycle
        self._begin(cycle)
        self.cycle = newest
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile, or wait for the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._enter(Phase.END)
            return
        self.flow.resume_reading()
        self._enter(self._reading)
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal:
            self._send_refusal()

    def pause_writing(self) -> None:
        """The client does not read what was sent."""
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        """It has read most of it."""
        super().resume_writing()
        self._unread_since = None

    def look(self, now: float) -> None:
        """End what has taken too long."""
        if self._unread_since is not None and now - self._unread_since > self._limits.unread_s:
            self._abort()
        elif now - self.since > self._most_s():
            self._end()

    def answer_last(self) -> None:
        """Let the newest request, if it is not answered yet, be the connection's last."""
        if self.cycle is not None:
            newest = self.pipeline[0][0] if self.pipeline else self.cycle
            newest.keep_alive = False

    def close_unused(self, since: float) -> None:
        """End the connection, if nothing of a request has come since then."""
        if self.phase is Phase.IDLE and self.since <= since and not self._unread_bytes():
            self._enter(Phase.END)
            self.transport.close()

    def _unread_bytes(self) -> int:
        """What has come and was not received yet."""
        found = array("i", [0])
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, found)
        return found[0]

    def _most_s(self) -> float:
        limits = self._limits
        return {
            Phase.IDLE: limits.idle_s,
            Phase.HEAD: limits.head_s,
            Phase.BODY: limits.body_s,
            Phase.ANSWER: limits.answer_s,
            Phase.END: limits.linger_s if self._refusal else limits.unread_s,
        }[self.phase]

    def _end(self) -> None:
        if self.phase is Phase.IDLE:
            self.close_unused(self.since)
        elif self.phase in (Phase.HEAD, Phase.BODY):
            self._refuse("request-timeout")
        else:
            self._abort()

    def _abort(self) -> None:
        """End the connection at once."""
        self._leave()
        self.transport.abort()

    def _leave(self) -> None:
        """Let nothing be answered any more."""
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
            self._answering.scope[GONE] = True
            self.flow.resume_writing()

    def _read(self, part: Phase) -> None:
        self._reading = part
        if self.phase is not Phase.ANSWER:
            self._enter(part)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.since = self.loop.time()

    def _check_head(self) -> None:
        """Raises Refusal for a Host that can't be one (RFC 9112, section 3.2), and for a body that is too large."""
        host = self._named.get(b"host")
        is_missing = host is None and self.parser.get_http_version() != "1.0"
        has_two = len(self._named) != len(self.headers) and sum(name == b"host" for name, _ in self.headers) > 1
        if is_missing or has_two or (host is not None and not is_host(host)):
            raise Refusal("malformed-request")
        if int(self._named.get(b"content-length", 0)) > BODY_MAX_BYTES:
            raise Refusal("body-too-large")

    def _count_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > HEAD_MAX_BYTES:
            raise Refusal("head-too-large")

    def _count_partial(self, more: int) -> None:
        """Count what has come of a request without an end; of what came with the end of another it is not known."""
        self._partial_bytes = 0 if self._has_ended else self._partial_bytes + more
        most, kind = PARTIAL_MAX[self._reading]
        if self._partial_bytes > most:
            raise Refusal(kind)

    def _refuse(self, kind: str) -> None:
        """Refuse what was read last, once whatever came before it has its answer."""
        self._refusal = kind
        if self.phase is not Phase.ANSWER:
            self._send_refusal()

    def _send_refusal(self) -> None:
        self._enter(Phase.END)
        if self.transport.is_closing():
            return
        self.transport.write(refusal_bytes(self._refusal))
        self.transport.write_eof()

    def _throw_away(self, data: bytes) -> None:
        self._lingered_bytes += len(data)
        if self._lingered_bytes > LINGER_MAX_BYTES:
            self._abort()


@lru_cache(maxsize=1_024)
def is_host(value: bytes) -> bool:
    """Whether a request's Host can be one."""
    return _HOST.fullmatch(value) is not None
