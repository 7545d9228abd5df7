"""HTTP with one total deadline for a call, a few retries, and every failure as ProviderUnavailable."""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import urllib3

from providers.port import CALL_TIMEOUT_S, ProviderUnavailable

RETRY_FIRST_S: Final = 0.1
# Also where the process was held up until its deadline.
TRY_MIN_S: Final = 0.01
CONNECTIONS_MAX: Final = 32
ANSWER_MAX_BYTES: Final = 256 * 1024
_PIECE_BYTES: Final = 64 * 1024
# Another attempt may be answered otherwise.
TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class HttpAnswer(NamedTuple):
    """A status that is not transient, the body, the header."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Tries:
    """The tries of one call, within ``timeout_s`` in all."""

    def __init__(self, timeout_s: float) -> None:
        self._ends_at = time.monotonic() + timeout_s
        self._pause_s = RETRY_FIRST_S / 2

    def left_s(self) -> float:
        """How long the next try may take."""
        return max(TRY_MIN_S, self._ends_at - time.monotonic())

    def pause_s(self, error: ProviderUnavailable) -> float:
        """How long to wait after a try that failed. Raises its error if there is no time for another one."""
        self._pause_s *= 2
        if time.monotonic() + self._pause_s >= self._ends_at:
            raise error
        return self._pause_s


class _HeadInTime:
    """A connection on which the head of an answer has a time in all; urllib3 limits the wait for each piece of it."""

    sock: socket.socket | None
    timeout: float | None

    def getresponse(self) -> urllib3.HTTPResponse:
        """The answer, its body unread. Raises TimeoutError."""
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            if self.sock is not None:
                with suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # of TLS, too: who reads gets an end

        timer = threading.Timer(self.timeout or 0, give_up)
        timer.daemon = True
        timer.start()
        try:
            answer: urllib3.HTTPResponse = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if is_late.is_set():  # the end may have passed for that of the head
            raise TimeoutError
        return answer


class _HttpConnection(_HeadInTime, urllib3.connection.HTTPConnection):  # type: ignore[misc]
    """Without TLS."""


class _HttpsConnection(_HeadInTime, urllib3.connection.HTTPSConnection):  # type: ignore[misc]
    """With TLS."""


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class RetryingClient:
    """Sends requests, each with its retries within ``timeout_s``. Blocks. Connections are kept."""

    def __init__(self, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=CONNECTIONS_MAX, retries=False)
        self._pool.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def send(self, method: str, url: str, content: bytes | str | None, headers: Mapping[str, str]) -> HttpAnswer:
        """The answer. Raises ProviderUnavailable."""
        tries = Tries(self._timeout_s)
        while True:
            try:
                return self._once(method, url, content, headers, tries.left_s())
            except ProviderUnavailable as error:
                time.sleep(tries.pause_s(error))

    def _once(
        self, method: str, url: str, content: bytes | str | None, headers: Mapping[str, str], timeout_s: float
    ) -> HttpAnswer:
        ends_at = time.monotonic() + timeout_s
        try:
            answer = self._pool.request(
                method,
                url,
                body=content,
                headers=headers,
                timeout=urllib3.Timeout(total=timeout_s),
                preload_content=False,
            )
            with answer:
                status, body = answer.status, _whole_body(answer, ends_at)
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status in TRANSIENT:
            raise ProviderUnavailable(f"status {status}")
        return HttpAnswer(status, body, answer.headers)


def _whole_body(answer: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
    """The body. Raises ProviderUnavailable for one that is too long, or that does not end in time."""
    body = bytearray()
    while piece := answer.read1(_PIECE_BYTES):
        body += piece
        if len(body) > ANSWER_MAX_BYTES or time.monotonic() > ends_at:
            answer.close()  # or the rest would be the next answer
            raise ProviderUnavailable("an answer that does not end")
    return bytes(body)
