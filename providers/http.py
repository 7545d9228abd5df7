"""JSON over HTTP with one total deadline, a few retries, and every failure as ProviderUnavailable."""

import time
from typing import Any, Final

import msgspec
import urllib3

from providers.port import CALL_TIMEOUT_S, ProviderUnavailable

RETRY_FIRST_S: Final = 0.1
# Also where the process was held up until its deadline.
TRY_MIN_S: Final = 0.01
CONNECTIONS_MAX: Final = 32
ANSWER_MAX_BYTES: Final = 256 * 1024
# Another attempt may be answered otherwise.
TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class JsonClient:
    """Calls one server. Connections are kept."""

    def __init__(self, url: str, headers: dict[str, str], timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._headers = headers
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=CONNECTIONS_MAX, retries=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status and the JSON of the answer. Raises ProviderUnavailable."""
        deadline = time.monotonic() + self._timeout_s
        pause_s = RETRY_FIRST_S
        content = None if body is None else msgspec.json.encode(body)
        while True:
            try:
                status, text = self._once(method, path, content, headers, max(TRY_MIN_S, deadline - time.monotonic()))
                break
            except ProviderUnavailable:
                if time.monotonic() + pause_s >= deadline:
                    raise
            time.sleep(pause_s)
            pause_s *= 2
        try:
            return status, msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable(f"status {status} without JSON") from error

    def _once(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        try:
            answer = self._pool.request(
                method,
                f"{self._url}{path}",
                body=content,
                headers=self._headers | headers,
                timeout=urllib3.Timeout(total=timeout_s),
                preload_content=False,
            )
            with answer:
                status, text = answer.status, answer.read(ANSWER_MAX_BYTES)
                answer.drain_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status in TRANSIENT:
            raise ProviderUnavailable(f"status {status}")
        return status, text
