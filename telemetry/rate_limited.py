"""Rate limiting of warnings: each kind is logged twice a minute, with the number of suppressed ones."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, Final

INTERVAL_S: Final = 30.0
# Beyond so many kinds, some are logged more often.
KINDS_MAX: Final = 1_000


class RateLimitedLog:
    """Logs warnings to ``log``, at most one of a kind in ``interval`` seconds."""

    def __init__(
        self, log: logging.Logger, interval: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._interval = interval
        self._clock = clock
        # By kind, the time of the last warning and the number of those suppressed since.
        self._last: dict[str, tuple[float, int]] = {}

    def warning(self, kind: str, message: str, *arguments: object, **more: Any) -> None:
        """Log a warning, or count it if one of its kind was logged a moment ago."""
        now = self._clock()
        last, suppressed = self._last.get(kind, (-math.inf, 0))
        if now - last < self._interval:
            self._last[kind] = (last, suppressed + 1)
            return
        if len(self._last) >= KINDS_MAX:
            self._last.clear()
        self._last[kind] = (now, 0)
        others = f" (and {suppressed} times since the last such line)" if suppressed else ""
        self._log.warning(f"{message}%s", *arguments, others, **more)
