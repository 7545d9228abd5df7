"""From a thread to the server's loop: for pages, whose answer depends on what comes of a coroutine."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from api.problems import BUSY_FOR_S, retry_later

Result = TypeVar("Result")

# Of the threads of api/http/threads.py, so that there are others for whoever doesn't wait.
WAITING_MAX: Final = 32


class Bridge:
    """Carries coroutines to ``loop``, some at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._places = threading.BoundedSemaphore(WAITING_MAX)

    def __call__(self, coroutine: Coroutine[Any, Any, Result], /) -> Result:
        """What comes of it. Refused: busy."""
        if not self._places.acquire(blocking=False):
            coroutine.close()
            raise retry_later("busy", BUSY_FOR_S)
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        finally:
            self._places.release()
