"""The log of accesses: a line for each request that was answered, without its query, its body or its client."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

log = logging.getLogger(__name__)


class Accesses:
    """The application ``inner``, whose answers are logged when they begin."""

    def __init__(self, inner: Application, clock: Callable[[], float] = time.monotonic) -> None:
        self.inner = inner
        self._clock = clock

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        began = self._clock()

        def start(status: str, headers: Any, *error: Any) -> Any:
            taken = round((self._clock() - began) * 1000, 1)
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            log.info("answered", extra={"method": method, "path": path, "status": int(status[:3]), "ms": taken})
            return start_response(status, headers, *error)

        return self.inner(environ, start)
