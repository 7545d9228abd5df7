"""Reports that a worker waits for Kafka: in its log, and on its health pages.

The pages are served on the worker's own port until Faust's web server takes it over.
"""

import json
import logging
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET
from ssl import SSLContext
from threading import Thread
from types import TracebackType
from typing import Final, Self

from tables.errors import TurnstileError

STATUS: Final = "waiting for Kafka"
LIVE: Final = "/health/live"
LOG_INTERVAL_S: Final = 600.0
REQUEST_TIMEOUT_S: Final = 1.0

log = logging.getLogger(__name__)


class PortTaken(TurnstileError):
    """The worker's port is in use."""


class WaitingPages:
    """The problem that the worker waits for. Nothing is served or logged before the first ``report``."""

    def __init__(self, bind: str, port: int, tls: SSLContext | None = None) -> None:
        self._address = (bind, port)
        self._tls = tls
        self._server: _Server | None = None
        self._problem = ""
        self._logged_at = float("-inf")

    def report(self, problem: str) -> None:
        """Serve this problem from now on; log it when it is new, and every ten minutes. Raises PortTaken."""
        server = self._server = self._server or self._serve()
        server.problem = problem
        now = time.monotonic()
        if problem != self._problem or now - self._logged_at >= LOG_INTERVAL_S:
            log.warning("%s: %s", STATUS, problem)
            self._problem, self._logged_at = problem, now

    def _serve(self) -> "_Server":
        try:
            server = _Server(self._address)
        except OSError as error:
            raise PortTaken(f"port {self._address[1]} (TURNSTILE_WORKER_PORT): {error.strerror}") from error
        if self._tls is not None:
            # The handshake is done by the reader of a request, within its timeout.
            server.socket = self._tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Thread(target=server.serve_forever, daemon=True).start()
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Release the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Server(HTTPServer):
    """Serves one request at a time, and drops a connection that is silent for a second."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        super().__init__(address, _Pages)
        self.problem = ""

    def server_bind(self) -> None:
        """Bind without a name lookup: the name service may be unavailable, too."""
        self.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


class _Pages(BaseHTTPRequestHandler):
    timeout = REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        """Answer that the worker is alive, but not ready."""
        server = self.server
        assert isinstance(server, _Server)
        live = self.path == LIVE
        body = json.dumps({"status": STATUS if live else f"{STATUS}: {server.problem}"}).encode()
        self.send_response(200 if live else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Log no requests."""
