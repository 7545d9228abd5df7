"""HTTP with one total deadline for a call, a few retries, and every failure as ProviderUnavailable."""

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import urllib3

from providers.port import CALL_TIMEOUT_S, ProviderUnavailable
from telemetry.call_deadlines import POOLS, call_within

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


class RetryingClient:
    """Sends requests, each with its retries within ``timeout_s``. Blocks. Connections are kept."""

    def __init__(self, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=CONNECTIONS_MAX, retries=False)
        self._pool.pool_classes_by_scheme = POOLS

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
        try:
            with call_within(timeout_s):
                answer = self._pool.request(
                    method,
                    url,
                    body=content,
                    headers=headers,
                    timeout=urllib3.Timeout(total=timeout_s),
                    preload_content=False,
                )
                with answer:
                    status, body = answer.status, _whole_body(answer)
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status in TRANSIENT:
            raise ProviderUnavailable(f"status {status}")
        return HttpAnswer(status, body, answer.headers)


def _whole_body(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The body. Raises ProviderUnavailable for one that is too long."""
    body = bytearray()
    while piece := answer.read1(_PIECE_BYTES):
        body += piece
        if len(body) > ANSWER_MAX_BYTES:
            answer.close()  # or the rest would be the next answer
            raise ProviderUnavailable("an answer that does not end")
    return bytes(body)
