"""A client's connection: uvicorn's protocol with limits on time and size. A refusal is the connection's last answer."""

import asyncio
import fcntl
import logging
import termios
import time
from array import array
from asyncio import Transport
from collections.abc import Awaitable, Callable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from api.http.limits import LINGER_MAX_BYTES, LINGER_PAUSE_S, Admission
from api.http.refusal import Refusal, kind_of, page_language, refusal
from api.http.request_parser import ConnectionPhase, RequestParser
from api.web.raw_response import GONE, FastPath, RawResponse

log = logging.getLogger(__name__)


class FastCycle:
    """A request that the fast path answers, with the attributes that uvicorn reads of a request under way."""

    disconnected = False
    response_complete = False

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.scope: dict[str, Any] = {}
        self.message_event = self

    def set(self) -> None:
        """Nobody waits for the rest of the request."""


class HttpConnection(RequestParser):
    """Answers requests in their order, and ends what takes too long. Each answer is the last once ``is_stopping``."""

    def __init__(
        self,
        admission: Admission,
        fast_path: FastPath | None,
        is_stopping: Callable[[], bool],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(admission, *args, **kwargs)
        self._limits = admission.limits
        self._fast_path = fast_path
        self._is_stopping = is_stopping
        self._unread_since: float | None = None
        self._answering: Any = None
        self._replying: asyncio.Task[None] | None = None
        self._refusal = ""
        self._lingered_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Accept the client, or refuse it if there are too many."""
        super().connection_made(transport)
        if not self._admission.admit(self.peer):
            self._refuse("too-many-connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, if it is answering."""
        self._disconnect()
        super().connection_lost(exc)
        self._release_large_body()
        self._admission.release(self.peer)

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Parse what has come, unless the client was refused."""
        if self._refusal:
            self._discard(data)
            return
        self._is_whole = False
        try:
            self.parser.feed_data(data)
            self._count_partial(len(data))
        except Refusal as error:
            self._refuse(error.kind)
        except HttpParserError as error:
            self._refuse(kind_of(error))
        except HttpParserUpgrade:
            # Ignored, and so is what follows it, which is not HTTP/1.1 any more.
            self.cycle.keep_alive = False

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more, and gets the answers to its whole requests."""
        if not self._refusal and self._reading is not ConnectionPhase.IDLE:
            self._refuse("malformed-request")
        if self.phase is ConnectionPhase.ANSWER and not self._refusal:
            self.answer_last()
        return self.phase not in (ConnectionPhase.IDLE, ConnectionPhase.END)

    def on_message_complete(self) -> None:
        """The request is whole: hand it to the fast path or the application."""
        self._reading = ConnectionPhase.IDLE
        self._is_whole = True
        if not self.transport.is_closing() and (self.phase is ConnectionPhase.ANSWER or not self._take()):
            self._queue()

    def _take(self) -> bool:
        """Whether the fast path answers the request."""
        if self._fast_path is None or len(self._fields) != len(self.headers):
            return False
        answer = self._fast_path.take(self.parser.get_method(), self.url, self._fields, bytes(self._body))
        if answer is None:
            return False
        self._begin(FastCycle(self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()))
        self._replying = self.loop.create_task(self._reply(self._fast_path, self.url, answer, self.cycle))
        return True

    async def _reply(self, fast_path: FastPath, target: bytes, answer: Awaitable[RawResponse], cycle: Any) -> None:
        began, status = time.perf_counter(), None
        try:
            reply = await answer
            if self.flow.write_paused:
                await self.flow.drain()
            if not cycle.disconnected:
                self.transport.write(reply.encode(self._date(), is_last=not cycle.keep_alive))
                status = reply.status
        except Exception:
            log.exception("the fast path failed")
        fast_path.answered(target, status, began)
        if status is None:
            self.transport.abort()
            return
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _date(self) -> str:
        """The value of the field Date, which uvicorn keeps."""
        return self.server_state.default_headers[0][1].decode()

    def _begin(self, cycle: Any) -> None:
        self.cycle = cycle
        self._answering = cycle
        self._enter(ConnectionPhase.ANSWER)
        if self._is_stopping():
            self.answer_last()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer."""
        newest = self.cycle
        self._begin(cycle)
        self.cycle = newest
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Continue with the requests that came meanwhile, or wait for the next one."""
        self.server_state.total_requests += 1
        if not self.pipeline and self._reading is not ConnectionPhase.BODY:
            self._release_large_body()
        if self.transport.is_closing():
            self._enter(ConnectionPhase.END)
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
        """The client has read most of it."""
        super().resume_writing()
        self._unread_since = None

    def enforce_timeouts(self, now: float) -> None:
        """End what has taken too long."""
        if self._unread_since is not None and now - self._unread_since > self._limits.unread_s:
            self.transport.abort()
        elif now - self.since > self._timeout_s():
            self._end()

    def answer_last(self) -> None:
        """Let the newest unanswered request be the connection's last."""
        if self.cycle is not None:
            newest = self.pipeline[0][0] if self.pipeline else self.cycle
            newest.keep_alive = False

    def close_unused(self, since: float) -> None:
        """Close the connection if no byte of a request has come since then."""
        if self.phase is ConnectionPhase.IDLE and self.since <= since and not self._unread_bytes():
            self._enter(ConnectionPhase.END)
            self.transport.close()

    def _unread_bytes(self) -> int:
        """Bytes in the socket's receive buffer."""
        found = array("i", [0])
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, found)
        return found[0]

    def _timeout_s(self) -> float:
        # Of every connection, twice a second: a dictionary takes three to six times as long.
        limits = self._limits
        match self.phase:
            case ConnectionPhase.IDLE:
                return limits.idle_s
            case ConnectionPhase.HEAD:
                return limits.head_s
            case ConnectionPhase.BODY:
                return limits.body_s
            case ConnectionPhase.ANSWER:
                return limits.answer_s
            case ConnectionPhase.END:
                return limits.linger_s if self._refusal else limits.unread_s

    def _end(self) -> None:
        if self.phase is ConnectionPhase.IDLE:
            self.close_unused(self.since)
        elif self.phase in (ConnectionPhase.HEAD, ConnectionPhase.BODY):
            self._refuse("request-timeout")
        else:
            self.transport.abort()

    def _disconnect(self) -> None:
        """Stop all answers."""
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
            self._answering.scope[GONE] = True
            self.flow.resume_writing()

    def _release_large_body(self) -> None:
        if self._has_large_body:
            self._has_large_body = False
            self._admission.release_large_body()

    def _refuse(self, kind: str) -> None:
        """Refuse the newest request, after the answers to those before it."""
        self._refusal = kind
        if self.phase is not ConnectionPhase.ANSWER:
            self._send_refusal()

    def _send_refusal(self) -> None:
        self._enter(ConnectionPhase.END)
        if self.transport.is_closing():
            return
        answer = refusal(self._refusal, page_language(self._refusal, self._fields))
        self.transport.write(answer.encode(self._date(), is_last=True))
        self.transport.write_eof()

    def _discard(self, data: bytes) -> None:
        self._lingered_bytes += len(data)
        if self._lingered_bytes > LINGER_MAX_BYTES:
            self.transport.abort()
            return
        self.transport.pause_reading()
        self.loop.call_later(LINGER_PAUSE_S, self._read_again)

    def _read_again(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
