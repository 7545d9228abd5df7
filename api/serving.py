"""gunicorn's gevent worker with an end that loses nobody: api/gunicorn.conf.py names it.

When it is told to stop, it answers what is on its way and what still comes for a moment, telling each connection
that this was its last answer; then it closes its door, and ends the connections that nobody uses. So an idle
connection holds up no stop, and a client that goes elsewhere when it is told to meets no error.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import gevent
from gevent.server import StreamServer
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from api import stopping
from api.connection import Connection, Quick
from api.counting import QUICK, ROUTE, Answers
from api.desk import Desk
from api.one_write import OneWrite
from api.plain import Plain

LOOK_S: Final = 0.2
LAST_S: Final = 1.0
UNUSED_S: Final = 1.5
PAUSE_S: Final = 0.02
FAILED: Final = 500


class Address:
    """Where a listener listens, for connections that outlive it: gunicorn asks the listener itself."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        """The address, as a socket tells it."""
        return self._name


class Door(StreamServer):  # type: ignore[misc]
    """Lets clients in, as many as there is room for; ``handle`` is called in the hub."""

    def __init__(self, listener: Any, handle: Callable[[Any, Any], None], is_full: Callable[[], bool]) -> None:
        super().__init__(listener, handle=handle, spawn=None)
        self.full = is_full

    def do_handle(self, *knock: Any) -> None:
        """Hand the client over, who stays when this returns."""
        self.handle(*knock)

    def has_room(self) -> None:
        """Somebody has left."""
        if self.started:
            self.start_accepting()


class Worker(GeventWorker):  # type: ignore[misc]
    """All work is done at a desk (api/desk.py), connections are objects (api/connection.py)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Connection] = set()
        self.answers = Answers()
        self.quick: Quick | None = None
        self.doors: list[Door] = []
        # gunicorn looks a setting up anew each time that it uses it: a twentieth of a request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})

    def handle(self, listener: Address, client: Any, addr: Any) -> None:
        """Let a client in. There is neither TLS nor HTTP/2 on this way."""
        self.connections.add(Connection(self, client, addr, listener.getsockname()))

    def left(self, connection: Connection) -> None:
        """A client has gone."""
        self.connections.discard(connection)
        for door in self.doors:
            door.has_room()

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer a request, without the hooks and the log of accesses that gunicorn would have had for it.

        Raises StopIteration when it was the connection's last.
        """
        began = time.perf_counter()
        if isinstance(req, Plain):
            response, environ = OneWrite(req, sock, self.cfg), req.environ()
        else:
            response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, response_class=OneWrite)
        environ["wsgi.multithread"] = True
        environ[stopping.KEY] = self._is_stopping
        self.answers.in_flight += 1
        status = None
        try:
            self._answer(environ, response)
            status = int(response.status[:3])
        except OSError:
            raise
        except Exception:
            status = FAILED
            if not response.headers_sent:
                raise
            # What is out cannot be taken back; the connection's end tells that it is not whole.
            self.log.exception("an answer broke off")
            raise StopIteration from None
        finally:
            self.answers.in_flight -= 1
            self.answers.answered(environ["REQUEST_METHOD"], environ.get(ROUTE, QUICK), status, began)
        if response.should_close():
            raise StopIteration

    def _is_stopping(self) -> bool:
        return not self.alive

    def _answer(self, environ: dict[str, Any], response: OneWrite) -> None:
        pieces = self.wsgi(environ, response.start_response)
        if not self.alive:
            response.force_close()
        try:
            for piece in pieces:
                response.write(piece)
            response.close()
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def run(self) -> None:
        """Serve until told to stop, then see everybody off."""
        self.desk = Desk()
        self.quick = getattr(self.wsgi, "extensions", {}).get("quick")
        self.doors = [self._door(each) for each in self.sockets]
        for door in self.doors:
            door.start()
        while self.alive:
            self._pass(LOOK_S)
            self._end(self.cfg.keepalive, unused=False)
        self._see_off()

    def _door(self, listener: Any) -> Door:
        listener.setblocking(1)
        address = Address(listener.getsockname())
        return Door(listener, partial(self.handle, address), lambda: len(self.connections) >= self.worker_connections)

    def _see_off(self) -> None:
        ends = time.monotonic() + self.cfg.graceful_timeout
        self._pass(LAST_S)
        for door in self.doors:
            self._close_door(door)
        while self.connections and time.monotonic() < ends:
            self._end(UNUSED_S, unused=True)
            self._pass(PAUSE_S)

    def _close_door(self, door: Door) -> None:
        """Let in who has knocked, and nobody after that: a listener that is closed on them would reset them."""
        door.stop_accepting()
        while (knock := door.do_read()) is not None:
            door.do_handle(*knock)
        door.close()

    def _pass(self, seconds: float) -> None:
        self.notify()
        gevent.sleep(seconds)

    def _end(self, seconds: float, unused: bool) -> None:
        """End the connections that wait for longer; with ``unused`` only those of which nothing has come."""
        before = time.monotonic() - seconds
        for each in self.connections:
            if each.is_waiting and each.since < before and not (unused and each.has_begun):
                self.desk.do(each.end)
