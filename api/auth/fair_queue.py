"""A semaphore that is fair to clients: each waits in a line of its own, and the lines take turns.

So a client that asks for much waits for itself, and who asks once is next after one of each other client. Where all
places are taken, the largest crowd gives up one: those of one client, or of many clients about one thing, such as an
account that they guess. Who waits is a thread.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.problems import Refused, retry_later

RETRY_AFTER_S: Final = 3


class _Waiter:
    __slots__ = ("client", "crowds", "event", "has_turn")

    def __init__(self, client: str, about: str) -> None:
        self.client = client
        self.crowds = (("client", client), ("about", about))
        self.event = threading.Event()
        self.has_turn = False


class FairQueue:
    """Lets ``at_once`` callers through; at most ``waiting_max`` wait, each ``patience_s`` at most."""

    def __init__(self, at_once: int, waiting_max: int, patience_s: float) -> None:
        self._free = at_once
        self._waiting_max = waiting_max
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[_Waiter]] = OrderedDict()

    @contextmanager
    def turn(self, client: str, about: str) -> Iterator[None]:
        """Be one of those at once, after waiting in the client's line. Refused: passwords-busy."""
        waiter = _Waiter(client, about)
        self._arrive(waiter)
        try:
            if not waiter.has_turn:
                self._wait(waiter)
            yield
        finally:
            if waiter.has_turn:
                self._leave()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def _arrive(self, waiter: _Waiter) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                waiter.has_turn = True
                return
            self._make_room(waiter)
            self._lines.setdefault(waiter.client, deque()).append(waiter)

    def _make_room(self, newcomer: _Waiter) -> None:
        waiting = [waiter for line in self._lines.values() for waiter in line]
        if len(waiting) < self._waiting_max:
            return
        sizes = Counter(crowd for waiter in waiting for crowd in waiter.crowds)
        largest, size = sizes.most_common(1)[0]
        if size <= max(sizes[crowd] for crowd in newcomer.crowds) + 1:
            raise _busy()
        pushed_out = [waiter for waiter in waiting if largest in waiter.crowds][-1]
        self._drop(pushed_out)
        pushed_out.event.set()

    def _wait(self, waiter: _Waiter) -> None:
        try:
            waiter.event.wait(self._patience_s)
        finally:
            with self._lock:
                self._drop(waiter)
        if not waiter.has_turn:
            raise _busy()

    def _leave(self) -> None:
        """Hand the turn to the first of the line that waited longest for one."""
        with self._lock:
            if not self._lines:
                self._free += 1
                return
            client, line = next(iter(self._lines.items()))
            waiter = line[0]
            self._lines.move_to_end(client)
            self._drop(waiter)
            waiter.has_turn = True
            waiter.event.set()

    def _drop(self, waiter: _Waiter) -> None:
        line = self._lines.get(waiter.client)
        if line is None or waiter not in line:
            return
        line.remove(waiter)
        if not line:
            del self._lines[waiter.client]


def _busy() -> Refused:
    return retry_later("passwords-busy", RETRY_AFTER_S)
