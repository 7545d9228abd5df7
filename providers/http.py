"""HTTP with one total deadline for a call, a few retries, and every failure as ProviderUnavailable."""

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import urllib3

from providers.port import CALL_TIMEOUT_S, ProviderUnavailable

RETRY_FIRST_S: Final = 0.1
# Also where the process was held up until its deadline.
TRY_MIN_S: Final = 0.01
CONNECTIONS_MAX: Final = 32
ANSWER_MAX_BYTES: Final = 256 * 1024
# Another attempt may be answered otherwise.
TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class HttpAnswer(NamedTuple):
    """A status that is not transient, the body, the header."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class RetryingClient:
    """Sends requests, each with its retries within ``timeout_s``. Connections are kept."""

    def __init__(self, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=CONNECTIONS_MAX, retries=False)

    def send(self, method: str, url: str, content: bytes | str | None, headers: Mapping[str, str]) -> HttpAnswer:
        """The answer. Raises ProviderUnavailable."""
        deadline = time.monotonic() + self._timeout_s
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return self._once(method, url, content, headers, max(TRY_MIN_S, deadline - time.monotonic()))
            except ProviderUnavailable:
                if time.monotonic() + pause_s >= deadline:
                    raise
            time.sleep(pause_s)
            pause_s *= 2

    def _once(
        self, method: str, url: str, content: bytes | str | None, headers: Mapping[str, str], timeout_s: float
    ) -> HttpAnswer:
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
                status, body = answer.status, answer.read(ANSWER_MAX_BYTES)
                answer.drain_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status in TRANSIENT:
            raise ProviderUnavailable(f"status {status}")
        return HttpAnswer(status, body, answer.headers)
