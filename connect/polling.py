"""Asking again and again until a moment has come; the clock and the pause are passed in."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Patience:
    """So many seconds from now on, asked in steps of ``pause``."""

    seconds: float
    pause: float = 0.25
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    @property
    def left(self) -> bool:
        """Whether there is time left."""
        return self.clock() < self._end

    def wait(self) -> None:
        """Let a little time pass."""
        self.sleep(self.pause)
