"""A semaphore that is fair to clients: each waits in a line of its own, and the lines take turns.

So a client that asks for much waits for itself, and who asks once is next after one of each other client. Who waits
is a thread (or a greenlet, where the standard library is patched).
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.problems import Refused

RETRY_AFTER_S: Final = 3


class _Waiter:
    __slots__ = ("event", "has_turn")

    def __init__(self) -> None:
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
    def turn(self, client: str) -> Iterator[None]:
        """Be one of those at once, after waiting in the client's line. Refused: passwords-busy."""
        waiter = self._arrive(client)
        try:
            if waiter is not None:
                self._wait(client, waiter)
            yield
        finally:
            if waiter is None or waiter.has_turn:
                self._leave()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return self._count()

    def _arrive(self, client: str) -> _Waiter | None:
        """None where it is the client's turn at once."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            return self._join(client)

    def _wait(self, client: str, waiter: _Waiter) -> None:
        try:
            waiter.event.wait(self._patience_s)
        finally:
            with self._lock:
                self._drop(client, waiter)
        if not waiter.has_turn:
            raise _busy()

    def _join(self, client: str) -> _Waiter:
        """The end of the client's line. Where all places are taken, the longest line gives up its last one."""
        if self._count() >= self._waiting_max:
            longest = max(self._lines, key=lambda each: len(self._lines[each]))
            if len(self._lines[longest]) <= len(self._lines.get(client, ())) + 1:
                raise _busy()
            pushed_out = self._lines[longest][-1]
            self._drop(longest, pushed_out)
            pushed_out.event.set()
        waiter = _Waiter()
        self._lines.setdefault(client, deque()).append(waiter)
        return waiter

    def _leave(self) -> None:
        """Hand the turn to the first of the line that waited longest for one."""
        with self._lock:
            if not self._lines:
                self._free += 1
                return
            client, line = next(iter(self._lines.items()))
            waiter = line[0]
            self._lines.move_to_end(client)
            self._drop(client, waiter)
            waiter.has_turn = True
            waiter.event.set()

    def _drop(self, client: str, waiter: _Waiter) -> None:
        line = self._lines.get(client)
        if line is None or waiter not in line:
            return
        line.remove(waiter)
        if not line:
            del self._lines[client]

    def _count(self) -> int:
        return sum(map(len, self._lines.values()))


def _busy() -> Refused:
    return Refused("passwords-busy", headers={"Retry-After": str(RETRY_AFTER_S)})
