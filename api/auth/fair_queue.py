"""A semaphore for threads that is fair to clients: a queue for each client, served round-robin.

So a client with many requests waits for itself, and a single request waits for one of each other client. If the queue
is full, the largest group loses its newest waiter: the requests of one client, or of many clients about one subject,
such as an account whose password they guess.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.problems import Refused, retry_later

RETRY_AFTER_S: Final = 3


class _Waiter:
    __slots__ = ("client", "event", "groups", "has_turn")

    def __init__(self, client: str, about: str) -> None:
        self.client = client
        self.groups = (("client", client), ("about", about))
        self.event = threading.Event()
        self.has_turn = False


class FairQueue:
    """Lets ``at_once`` callers through; at most ``waiting_max`` wait, each for ``timeout_s`` at most."""

    def __init__(self, at_once: int, waiting_max: int, timeout_s: float) -> None:
        self._free = at_once
        self._waiting_max = waiting_max
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()

    @contextmanager
    def turn(self, client: str, about: str) -> Iterator[None]:
        """Wait in the client's queue for a turn, which lasts as long as ``with``. Refused: passwords-busy."""
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
            return sum(map(len, self._queues.values()))

    def _arrive(self, waiter: _Waiter) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                waiter.has_turn = True
                return
            self._make_room(waiter)
            self._queues.setdefault(waiter.client, deque()).append(waiter)

    def _make_room(self, newcomer: _Waiter) -> None:
        waiting = [waiter for queue in self._queues.values() for waiter in queue]
        if len(waiting) < self._waiting_max:
            return
        sizes = Counter(group for waiter in waiting for group in waiter.groups)
        largest, size = sizes.most_common(1)[0]
        if size <= max(sizes[group] for group in newcomer.groups) + 1:
            raise _busy()
        pushed_out = [waiter for waiter in waiting if largest in waiter.groups][-1]
        self._drop(pushed_out)
        pushed_out.event.set()

    def _wait(self, waiter: _Waiter) -> None:
        try:
            waiter.event.wait(self._timeout_s)
        finally:
            with self._lock:
                self._drop(waiter)
        if not waiter.has_turn:
            raise _busy()

    def _leave(self) -> None:
        """Give the turn to the first waiter of the next queue."""
        with self._lock:
            if not self._queues:
                self._free += 1
                return
            client, queue = next(iter(self._queues.items()))
            waiter = queue[0]
            self._queues.move_to_end(client)
            self._drop(waiter)
            waiter.has_turn = True
            waiter.event.set()

    def _drop(self, waiter: _Waiter) -> None:
        queue = self._queues.get(waiter.client)
        if queue is None or waiter not in queue:
            return
        queue.remove(waiter)
        if not queue:
            del self._queues[waiter.client]


def _busy() -> Refused:
    return retry_later("passwords-busy", RETRY_AFTER_S)
