"""Polling until a deadline; the clock and the sleep are passed in."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Polling:
    """A deadline ``seconds`` from now, and the pause between two attempts."""

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
        """Sleep for one pause."""
        self.sleep(self.pause)
