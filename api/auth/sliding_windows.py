"""Counts requests by key in the present window of time and the one before it, in bounded memory."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

KEYS_MAX: Final = 50_000
WAIT_MIN_S: Final = 1.0


class Window(NamedTuple):
    """A window by its number, how many requests were granted in it, and in the one before it."""

    number: int
    granted: int
    before: int


class SlidingWindows:
    """In any thread. Beyond ``keys_max`` the keys whose last request is the oldest are forgotten.

    Those of the window before count by the part of it that is less than a window ago.
    """

    def __init__(self, keys_max: int = KEYS_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys_max = keys_max
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: OrderedDict[Hashable, Window] = OrderedDict()

    def take(self, key: Hashable, amount: int, window_s: int) -> float:
        """Grant a request of the key and count it, at most ``amount`` in ``window_s``: 0. Else the seconds to wait."""
        with self._lock:
            number, passed_s = divmod(self._clock(), window_s)
            known = self._windows.get(key) or Window(int(number), 0, 0)
            if known.number != number:
                known = Window(int(number), 0, known.granted if known.number == number - 1 else 0)
            has_room = known.granted + known.before * (1 - passed_s / window_s) < amount
            self._windows[key] = known._replace(granted=known.granted + has_room)
            self._windows.move_to_end(key)
            if len(self._windows) > self._keys_max:
                self._windows.popitem(last=False)
        return 0.0 if has_room else max(WAIT_MIN_S, _wait_s(known, amount, window_s) - passed_s)

    def __len__(self) -> int:
        return len(self._windows)


def _wait_s(known: Window, amount: int, window_s: int) -> float:
    """The seconds from the begin of the window until there is room for another request."""
    if known.granted >= amount:
        return float(window_s)
    return window_s * (1 - (amount - known.granted) / known.before)
