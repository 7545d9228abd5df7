"""gunicorn's gevent worker with an end that loses nobody: api/gunicorn.conf.py names it.

When it is told to stop, it answers what is on its way and what still comes for a moment, telling each connection
that this was its last answer; then it closes its door, and ends the connections that nobody uses. So an idle
connection holds up no stop, and a client that goes elsewhere when it is told to meets no error.
"""

import time
from functools import partial
from typing import Any, Final

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from api import stopping
from api.counting import Answers
from api.one_write import OneWrite

LOOK_S: Final = 0.2
LAST_S: Final = 1.0
UNUSED_S: Final = 1.5
PAUSE_S: Final = 0.02
FAILED: Final = "500"


class Waiting(gevent.Timeout):  # type: ignore[misc]
    """A connection that waits for its next request; ended by the time-out, or earlier by a stop."""

    def __init__(self, seconds: float, waiting: set["Waiting"]) -> None:
        super().__init__(seconds, False)
        self._waiting = waiting
        self._greenlet = gevent.getcurrent()
        self.since = time.monotonic()

    def __enter__(self) -> "Waiting":
        self._waiting.add(self)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        self._waiting.discard(self)
        return super().__exit__(*error)

    def end(self) -> None:
        """Let it wait no longer. Runs in the hub, so that no request can come between the look and the end."""
        if self in self._waiting:
            self._greenlet.throw(self)


class Address:
    """Where a listener listens, for connections that outlive it: gunicorn asks the listener itself."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        """The address, as a socket tells it."""
        return self._name


class Worker(GeventWorker):  # type: ignore[misc]
    """A greenlet for each connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: set[Waiting] = set()
        self.answers = Answers()
        # gunicorn looks a setting up anew each time that it uses it: a twentieth of a request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})

    def timeout_ctx(self) -> Waiting:
        """How long a connection may wait for its next request."""
        return Waiting(self.cfg.keepalive, self.waiting)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer a request, without the hooks and the log of accesses that gunicorn would have had for it.

        Raises StopIteration when it was the connection's last.
        """
        began = time.perf_counter()
        response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, response_class=OneWrite)
        environ["wsgi.multithread"] = True
        environ[stopping.KEY] = self._is_stopping
        self.answers.in_flight += 1
        status = None
        try:
            self._answer(environ, response)
            status = response.status
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
            self.answers.answered(environ, status, began)
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
        servers = [self._server(each) for each in self.sockets]
        for server in servers:
            server.start()
        while self.alive:
            self._pass(LOOK_S)
        self._see_off(servers)

    def _server(self, listener: Any) -> StreamServer:
        listener.setblocking(1)
        address = Address(listener.getsockname())
        return StreamServer(listener, handle=partial(self.handle, address), spawn=Pool(self.worker_connections))

    def _see_off(self, servers: list[StreamServer]) -> None:
        ends = time.monotonic() + self.cfg.graceful_timeout
        self._pass(LAST_S)
        for server in servers:
            self._close_door(server)
        while any(len(server.pool) for server in servers) and time.monotonic() < ends:
            self._end_unused()
            self._pass(PAUSE_S)
        for server in servers:
            server.stop(timeout=0)

    def _close_door(self, server: StreamServer) -> None:
        """Let in who has knocked, and nobody after that: a listener that is closed on them would reset them."""
        server.stop_accepting()
        while (knock := server.do_read()) is not None:
            server.do_handle(*knock)
        server.close()

    def _pass(self, seconds: float) -> None:
        self.notify()
        gevent.sleep(seconds)

    def _end_unused(self) -> None:
        before = time.monotonic() - UNUSED_S
        loop = gevent.get_hub().loop
        for each in tuple(self.waiting):
            if each.since < before:
                loop.run_callback(each.end)
