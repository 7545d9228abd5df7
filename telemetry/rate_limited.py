"""What thousands of requests would say alike is said twice a minute, with the number of those that were left out."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, Final

EVERY_S: Final = 30.0
# With more kinds than this some are said again before their time.
KINDS_MAX: Final = 1_000


class Seldom:
    """Warnings to ``log``, each kind of them every so many seconds at most."""

    def __init__(
        self, log: logging.Logger, every: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every = every
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def warning(self, kind: str, message: str, *arguments: object, **more: Any) -> None:
        """Say it, or count it where something of its kind was said just before."""
        now = self._clock()
        last, left_out = self._said.get(kind, (-math.inf, 0))
        if now - last < self._every:
            self._said[kind] = (last, left_out + 1)
            return
        if len(self._said) >= KINDS_MAX:
            self._said.clear()
        self._said[kind] = (now, 0)
        others = f" (and {left_out} times since the last such line)" if left_out else ""
        self._log.warning(f"{message}%s", *arguments, others, **more)
