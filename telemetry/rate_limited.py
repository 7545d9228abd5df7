"""Rate limiting of log lines: each kind is logged twice a minute, with the number of suppressed ones."""

import logging
import math
import time
from collections.abc import Callable, Hashable
from typing import Any, Final

INTERVAL_S: Final = 30.0
# Beyond so many kinds, some are logged more often.
KINDS_MAX: Final = 1_000


class RateLimit:
    """Lets one line of a kind pass in ``interval`` seconds."""

    def __init__(self, interval: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        # By kind, the time of the last line and the number of those suppressed since.
        self._last: dict[Hashable, tuple[float, int]] = {}

    def take(self, kind: Hashable) -> str | None:
        """The end of a line that is logged now, which may be empty; None for one that is suppressed."""
        now = self._clock()
        last, suppressed = self._last.get(kind, (-math.inf, 0))
        if now - last < self._interval:
            self._last[kind] = (last, suppressed + 1)
            return None
        if len(self._last) >= KINDS_MAX:
            self._last.clear()
        self._last[kind] = (now, 0)
        return f" (and {suppressed} times since the last such line)" if suppressed else ""


class RateLimitedLog:
    """Logs warnings to ``log``, at most one of a kind in ``interval`` seconds."""

    def __init__(
        self, log: logging.Logger, interval: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._limit = RateLimit(interval, clock)

    def warning(self, kind: str, message: str, *arguments: object, **more: Any) -> None:
        """Log a warning, or count it if one of its kind was logged a moment ago."""
        others = self._limit.take(kind)
        if others is not None:
            self._log.warning(f"{message}%s", *arguments, others, **more)


class RateLimitedClients(logging.Filter):
    """Of these loggers, lets a warning or error pass twice a minute, whatever it tells of."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._limit = RateLimit()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it, with the number of those that were not."""
        if record.levelno < logging.WARNING or not record.name.startswith(self._names):
            return True
        others = self._limit.take((record.name, record.msg))
        if others and not record.args:
            record.msg = f"{record.msg}{others}"  # nothing formats it: aiokafka logs placeholders without arguments
        elif others and isinstance(record.args, tuple):
            record.msg, record.args = f"{record.msg}%s", (*record.args, others)
        return others is not None
