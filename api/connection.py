"""A client's connection: its requests one after the other, each answered before the next is looked at.

While it waits, for its next request or for a decision of the ledger, it is an object and no greenlet.
"""

import errno
import time
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_WR
from typing import Any, Final, Protocol

import gevent
from gevent import get_hub
from gunicorn import util
from gunicorn.http.errors import NoMoreData

from api.counting import QUICK, Answers
from api.desk import Desk
from api.plain import Plain, Requests, common_environ
from api.reply import Reply
from api.steps import Steps

READABLE: Final = 1
PIECE: Final = 8_192
# How long and for how much a client is listened to that is not answered any more.
LINGER_S: Final = 1.0
LINGER_MAX_BYTES: Final = 1024 * 1024
GONE: Final = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN})

# The answer in steps, for requests that need neither WSGI nor a greenlet while they wait.
Quick = Callable[[Plain], Steps[Reply] | None]


class Server(Protocol):
    """What a connection needs of its server (api/serving.py)."""

    cfg: Any
    log: Any
    alive: bool
    desk: Desk
    quick: Quick | None
    answers: Answers

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Have the application answer. Raises StopIteration when that was the connection's last."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no request, or what went wrong."""

    def left(self, connection: "Connection") -> None:
        """The connection is closed."""


class Connection:
    """``is_waiting`` for a request, or for the rest of one, ``since`` then (by time.monotonic); or it is answering."""

    __slots__ = (
        "_address",
        "_began",
        "_client",
        "_here",
        "_is_last",
        "_requests",
        "_server",
        "_steps",
        "_watcher",
        "is_waiting",
        "since",
    )

    def __init__(self, server: Server, client: Any, address: Any, here: Any) -> None:
        self._server = server
        self._client = client
        self._address = address
        self._here = here
        self._requests = Requests(server.cfg, client, address, common_environ(server.cfg, client, address, here))
        self._steps: Steps[Reply] | None = None
        self._is_last = False
        self._began = 0.0
        self._watcher: Any = get_hub().loop.io(client.fileno(), READABLE)
        client.settimeout(0.0)
        self._wait()

    @property
    def has_begun(self) -> bool:
        """Whether something of the request that it waits for is there."""
        return self._requests.has_begun

    def end(self) -> None:
        """At the desk: close it, unless it is answering or the first bytes of a request have just come."""
        if not self.is_waiting:
            return
        if self.has_begun:
            self._close()
        else:
            self._watcher.stop()
            self._read(self._close)

    def _wait(self) -> None:
        self.since = time.monotonic()
        self._listen()

    def _listen(self) -> None:
        self.is_waiting = True
        self._watcher.start(self._readable)

    def _readable(self) -> None:
        """In the hub. Once is enough: the desk may take a while to come to it."""
        self._watcher.stop()
        self._server.desk.do(self._look)

    def _look(self) -> None:
        if self.is_waiting:
            self._read(self._listen)

    def _read(self, otherwise: Callable[[], None]) -> None:
        """Take what has come, if something has."""
        try:
            piece = self._client.recv(PIECE)
        except BlockingIOError:
            otherwise()
        except OSError:
            self._close()
        else:
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        request = self._requests.take(piece) if piece else None
        if request is not None:
            self._answer(request)
        elif self._requests.is_unusual or (self.has_begun and not piece):
            self._converse(None)
        elif piece:
            self._listen()
        else:
            self._close()

    def _answer(self, request: Plain) -> None:
        server = self._server
        self._steps = server.quick(request) if server.quick is not None else None
        if self._steps is None:
            self._converse(request)
            return
        self.is_waiting = False
        self._is_last = request.should_close()
        self._began = time.perf_counter()
        server.answers.in_flight += 1
        self._go_on()

    def _go_on(self) -> None:
        """Take the next step of the answer."""
        assert self._steps is not None
        try:
            pause = next(self._steps)
        except StopIteration as end:
            self._reply(end.value)
        except Exception:
            self._server.log.exception("an answer broke off")
            self._answered(None)
            self._close()
        else:
            self._server.desk.after(pause, self._go_on)

    def _reply(self, reply: Reply) -> None:
        is_last = self._is_last or not self._server.alive
        status: int | None = reply.status
        try:
            self._send(reply.on_the_wire(is_last=is_last))
        except OSError:
            status, is_last = None, True
        self._answered(status)
        if is_last:
            self._close()
        else:
            self._wait()

    def _answered(self, status: int | None) -> None:
        self._steps = None
        self._server.answers.in_flight -= 1
        self._server.answers.answered("POST", QUICK, status, self._began)

    def _send(self, data: bytes) -> None:
        """Send it; what the client is too slow to take is waited for."""
        try:
            sent = self._client.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._client.settimeout(None)
            self._client.sendall(memoryview(data)[sent:])
            self._client.settimeout(0.0)

    def _converse(self, request: Any) -> None:
        """Have the application answer a request, or what gunicorn makes of what has come."""
        server, client = self._server, self._client
        self.is_waiting = False
        client.settimeout(None)
        try:
            if request is None:
                request = self._rest_of_request()
            server.handle_request(self._here, request, client, self._address)
            rest = self._requests.rest()
        except (StopIteration, NoMoreData):
            self._close(has_unread=self._requests.has_unread)
        except OSError as error:
            if error.errno not in GONE:
                server.log.exception("a connection broke")
            self._close()
        except BaseException as error:  # noqa: BLE001 (gunicorn answers it)
            server.handle_error(request, client, self._address, error)
            self._close(has_unread=True)
        else:
            client.settimeout(0.0)
            self._go_back(rest)

    def _rest_of_request(self) -> Any:
        """What gunicorn makes of what has come. Raises StopIteration where the rest does not come in time."""
        with gevent.Timeout(self._server.cfg.keepalive, False):
            return self._requests.whole()
        raise StopIteration

    def _go_back(self, rest: bytes) -> None:
        """Wait for the next request, of which so much is there."""
        if rest:
            self.since = time.monotonic()
            self._server.desk.do(lambda: self._take(rest))
        else:
            self._wait()

    def _close(self, *, has_unread: bool = False) -> None:
        self.is_waiting = False
        self._watcher.stop()
        if has_unread:
            self._linger()
        self._watcher.close()
        util.close(self._client)
        self._server.left(self)

    def _linger(self) -> None:
        """Throw away what still comes, for a moment: a socket that is closed on it would take the answer back.

        (RFC 9112, section 9.6.)
        """
        with gevent.Timeout(LINGER_S, False), suppress(OSError):
            self._client.shutdown(SHUT_WR)
            for _ in range(LINGER_MAX_BYTES // PIECE):
                if not self._client.recv(PIECE):
                    return
                gevent.sleep(0)
