"""gunicorn's gevent worker with an end that loses nobody: api/gunicorn.conf.py names it.

When it is told to stop, it answers what is on its way and what still comes for a moment, telling each connection
that this was its last answer; then it closes its door, and ends the connections that nobody uses. So an idle
connection holds up no stop, and a client that goes elsewhere when it is told to meets no error.
"""

import errno
import time
from functools import partial
from typing import Any, Final

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker

from api import stopping
from api.counting import Answers
from api.one_write import OneWrite
from api.plain import Plain, Requests, common_environ

LOOK_S: Final = 0.2
LAST_S: Final = 1.0
UNUSED_S: Final = 1.5
PAUSE_S: Final = 0.02
FAILED: Final = "500"
GONE: Final = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN})


class Ended(BaseException):
    """A connection has waited long enough for its next request."""


class Waiting:
    """A connection's waits for its next request, which are ended by the time-out, or earlier by a stop."""

    def __init__(self, waiting: set["Waiting"]) -> None:
        self._waiting = waiting
        self._greenlet = gevent.getcurrent()
        self.since = 0.0
        self.is_unused = True

    def __enter__(self) -> "Waiting":
        self.since = time.monotonic()
        self.is_unused = True
        self._waiting.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> bool:
        self._waiting.discard(self)
        return kind is Ended

    def began(self) -> None:
        """The first bytes of the request are there: a stop waits for it."""
        self.is_unused = False

    def end(self, unused: bool) -> None:
        """Let it wait no longer. Runs in the hub, so that no request can come between the look and the end."""
        if self in self._waiting and (self.is_unused or not unused):
            self._greenlet.throw(Ended)


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

    def handle(self, listener: Address, client: Any, addr: Any) -> None:
        """Answer a connection's requests until one was its last. There is neither TLS nor HTTP/2 on this way."""
        client.setblocking(1)
        waiting = Waiting(self.waiting)
        name, request = listener.getsockname(), None
        common = common_environ(self.cfg, client, addr, name)
        requests = Requests(self.cfg, client, addr, waiting.began, common)
        try:
            while True:
                request = None
                with waiting:
                    request = next(requests)
                if request is None:
                    break
                self.handle_request(name, request, client, addr)
        except (StopIteration, NoMoreData):
            pass
        except OSError as error:
            if error.errno not in GONE:
                self.log.exception("a connection broke")
        except BaseException as error:  # noqa: BLE001 (gunicorn answers it)
            self.handle_error(request, client, addr, error)
        finally:
            util.close(client)

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
            self._end(self.cfg.keepalive, unused=False)
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
            self._end(UNUSED_S, unused=True)
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

    def _end(self, seconds: float, unused: bool) -> None:
        """End the connections that wait for longer; with ``unused`` only those of which nothing has come."""
        before = time.monotonic() - seconds
        loop = gevent.get_hub().loop
        for each in tuple(self.waiting):
            if each.since < before:
                loop.run_callback(each.end, unused)
