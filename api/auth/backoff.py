"""Exponential back-off by key, in bounded memory: some tries are free, then each try doubles the wait."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

ENTRIES_MAX: Final = 50_000
DOUBLINGS_MAX: Final = 30


class BackoffRule(NamedTuple):
    """``free`` tries without a wait, then 1 s, 2 s, 4 s … up to ``wait_max_s``; one is forgiven each ``forgiven_s``."""

    free: int
    forgiven_s: float
    wait_max_s: float


class Level(NamedTuple):
    """Tries that were not forgiven at the last one, including it, and its time."""

    tries: float
    at: float


_NEVER: Final = Level(0.0, 0.0)


class Backoff:
    """Tries by key, in any thread. Beyond ``entries_max`` the keys that tried longest ago are forgotten."""

    def __init__(self, entries_max: int = ENTRIES_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries_max = entries_max
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[Hashable, Level] = OrderedDict()

    def wait(self, key: Hashable, rule: BackoffRule) -> float:
        """Seconds until the key may try again; 0 if it may now."""
        with self._lock:
            known = self._levels.get(key)
        if known is None or known.tries < rule.free:
            return 0.0
        wait = min(rule.wait_max_s, math.pow(2, min(known.tries - rule.free, DOUBLINGS_MAX)))
        return max(0.0, known.at + wait - self._clock())

    def age(self, key: Hashable) -> float:
        """Seconds since the key's last try; infinite if there was none."""
        with self._lock:
            known = self._levels.get(key)
        return math.inf if known is None else self._clock() - known.at

    def count(self, key: Hashable, rule: BackoffRule) -> None:
        """Count a try of the key."""
        with self._lock:
            now, known = self._clock(), self._levels.get(key, _NEVER)
            left = max(0.0, known.tries - (now - known.at) / rule.forgiven_s)
            self._levels[key] = Level(left + 1, now)
            self._levels.move_to_end(key)
            while len(self._levels) > self._entries_max:
                self._levels.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._levels.pop(key, None)
