"""Deadlines of blocking HTTP calls, each with its whole answer.

httpx and urllib3 limit the wait for each piece of an answer: one that comes byte by byte is read for hours. Connecting
and sending have the client's own timeouts.
"""

import io
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx
import urllib3

# Of a client of httpx: more than the API has threads.
CONNECTIONS_MAX: Final = 100
IDLE_CONNECTIONS_MAX: Final = 20
IDLE_CONNECTION_S: Final = 5.0

_call: Final = threading.local()


@contextmanager
def call_within(seconds: float | None) -> Iterator[None]:
    """Limit all reads of this thread within the block, on the connections below, to ``seconds``; None is no limit."""
    before = getattr(_call, "ends_at", None)
    _call.ends_at = None if seconds is None else time.monotonic() + seconds
    try:
        yield
    finally:
        _call.ends_at = before


def _left_s(otherwise: float | None) -> float | None:
    """The seconds that this thread's call has left; ``otherwise`` without a call. Raises TimeoutError."""
    ends_at: float | None = getattr(_call, "ends_at", None)
    if ends_at is None:
        return otherwise
    left_s = ends_at - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


class _Pieces(io.RawIOBase):
    """What comes by a socket."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._pieces = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """The length of the next piece. Raises TimeoutError."""
        self._sock.settimeout(_left_s(self._sock.gettimeout()))
        found: int | None = self._pieces.readinto(buffer)
        return found

    def close(self) -> None:
        """Close what reads, not the socket."""
        self._pieces.close()
        super().close()


class _Socket:
    """A socket, with or without TLS, for http.client."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What reads from it."""
        return io.BufferedReader(_Pieces(self._sock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _HttpConnection(urllib3.connection.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _Socket(self.sock)


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _Socket(self.sock)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


# The pools of urllib3 whose calls end in time, by scheme.
POOLS: Final[dict[str, type[urllib3.HTTPConnectionPool]]] = {"http": _HttpPool, "https": _HttpsPool}


class _Stream(httpcore.NetworkStream):
    """A connection of httpx."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next piece. Raises httpcore.ReadTimeout."""
        try:
            return self._inner.read(max_bytes, _left_s(timeout))
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The connection with TLS."""
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *values: Any, **more: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*values, **more))


class TimedTransport(httpx.HTTPTransport):
    """A transport of httpx that reads answers whole, within the timeout for reading since the call began."""

    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        context = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify, trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=IDLE_CONNECTIONS_MAX,
            keepalive_expiry=IDLE_CONNECTION_S,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read. Raises httpx.TransportError."""
        with call_within(request.extensions["timeout"]["read"]):
            answer = super().handle_request(request)
            answer.read()
        return answer
