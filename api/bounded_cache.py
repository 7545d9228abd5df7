"""A cache of bounded size and age, for any number of threads. The entry that was put first is dropped first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """At most ``entries_max`` entries, each for ``seconds`` after it was put."""

    def __init__(self, entries_max: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries_max = entries_max
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._putting = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value; None if there is none or it is too old."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._clock():
            return None
        return entry[1]

    def pop(self, key: Key) -> Value | None:
        """Drop the value, and give it; None if there is none or it is too old."""
        value = self.get(key)
        with self._putting:
            self._entries.pop(key, None)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Put a value, and drop the oldest if there are too many."""
        with self._putting:
            self._entries[key] = (self._clock() + self._seconds, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._entries_max:
                self._entries.popitem(last=False)
