"""The HTTP server on a real socket, in a thread of its own, before an application that echoes, waits and streams."""

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from api.http.limits import ConnectionLimits
from api.http.server import HttpServer
from api.http_application import HttpApplication
from api.telemetry.request_metrics import RequestCounters
from api.web.deferred import DEFERRED
from api.web.raw_response import Fields, RawResponse
from api.web.wsgi_threads import WsgiThreads
from tests.eventually import eventually

HOST = "127.0.0.1"
HEAD = b"Host: a\r\n"
# For tests that are not about the stop.
STOPS_SOON = ConnectionLimits(accept_last_s=0.1, unused_last_s=0.2)


class Application:
    """Each answer by threads; what begins with /quick/ by the loop: ``/quick/{size}/{seconds}``."""

    def __init__(self) -> None:
        self.carried_out: list[str] = []

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Any:
        return self._quick(target.decode(), body) if target.startswith(b"/quick/") else None

    async def _quick(self, path: str, body: bytes) -> RawResponse:
        size, seconds = path.split("/")[2:]
        self.carried_out.append(path)
        await asyncio.sleep(float(seconds))
        return RawResponse(200, "text/plain", {}, body or int(size) * b"q")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.carried_out.append(path)
        if path == "/news":
            environ[DEFERRED] = _news()
            start_response("200 OK", [("Content-Type", "text/event-stream"), ("Content-Length", "0")])
            return []
        if path == "/nothing":
            start_response("204 No Content", [])
            return []
        if path in ("/pieces", "/broken", "/long"):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return {"/pieces": iter([b"one ", b"two"]), "/broken": _breaks(), "/long": _long()}[path]
        if path == "/slow":
            time.sleep(0.7)
        if path == "/fields":
            start_response("200 OK", [])
            return [" ".join(sorted(name for name in environ if name.startswith("HTTP_"))).encode()]
        body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b"done"
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]


async def _news() -> AsyncIterator[bytes]:
    while True:
        yield b"data: x\n\n"
        await asyncio.sleep(0.02)


def _breaks() -> Iterator[bytes]:
    yield 300_000 * b"1"
    raise KeyError("secret")


def _long() -> Iterator[bytes]:
    for _ in range(400):
        yield 50_000 * b"l"


class Running:
    """The server and what it has carried out."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.application = Application()
        listener = socket.socket()
        listener.bind((HOST, 0))
        self.port: int = listener.getsockname()[1]
        self.counters = RequestCounters()
        threads = WsgiThreads(self.application, lambda: self.server.should_exit)
        dispatch: Any = HttpApplication(self.application, threads, self.counters)  # type: ignore[arg-type]
        self.server = HttpServer(dispatch, listener, limits)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.server.serve())

    def start(self) -> None:
        self._thread.start()
        eventually(lambda: self.server.started, within=5)

    def tell_to_stop(self) -> None:
        """As a signal would."""
        self.server.should_exit = True

    def has_stopped(self, within: float) -> bool:
        self._thread.join(within)
        return not self._thread.is_alive()

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=10)

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(HOST, self.port, timeout=10)

    def get(self, path: str = "/") -> tuple[int, bytes]:
        client = self.client()
        try:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()

    def said_to(self, sent: bytes, *, ends: bool = False) -> bytes:
        """Everything that is answered to this, and maybe the end, until the server closes the connection."""
        with self.connect() as client:
            client.sendall(sent)
            if ends:
                client.shutdown(socket.SHUT_WR)
            return client.makefile("rb").read()


@contextmanager
def running(limits: ConnectionLimits | None = None) -> Iterator[Running]:
    """A server that stops afterwards; in time, too."""
    server = Running(limits or STOPS_SOON)
    server.start()
    try:
        yield server
    finally:
        server.tell_to_stop()
        assert server.has_stopped(15)
