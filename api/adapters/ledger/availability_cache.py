"""What is left of events, about a second old: however many look, the ledger is asked about an event once a second."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from api.adapters.ledger.worker_views import TypeView
from api.bounded_cache import BoundedCache
from api.ports.sales import Left
from api.problems import Unavailable

FRESH_S: Final = 1.0
# Longer than a lookup takes at three workers that hang: those who look meanwhile get the entry before it.
KEPT_S: Final = 15.0
EVENTS_MAX: Final = 2_000

TicketsLeft = dict[UUID, Left]


class _KnownStock:
    """The last answer about an event, and when it came (s)."""

    def __init__(self) -> None:
        self.tickets: TicketsLeft | None = None
        self.at = float("-inf")
        self.asking = threading.Lock()


class AvailabilityCache:
    """Asks ``ask`` (the ledger's view of an event's ticket types) for all threads together."""

    def __init__(self, ask: Callable[[UUID], Iterable[TypeView]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._entries: BoundedCache[UUID, _KnownStock] = BoundedCache(EVENTS_MAX, KEPT_S, clock)

    def left(self, event: UUID) -> TicketsLeft | None:
        """By ticket type; None if nobody can tell, or not soon."""
        entry = self._entries.get(event)
        if entry is None:
            entry = _KnownStock()
            self._entries.put(event, entry)
        if self._clock() - entry.at >= FRESH_S and entry.asking.acquire(timeout=FRESH_S if entry.at < 0 else 0):
            try:
                self._renew(event, entry)
            finally:
                entry.asking.release()
        return entry.tickets

    def _renew(self, event: UUID, entry: _KnownStock) -> None:
        if self._clock() - entry.at < FRESH_S:
            return
        try:
            entry.tickets = {each.ticket_type: Left(each.state, each.available) for each in self._ask(event)}
        except Unavailable:
            entry.tickets = None
        entry.at = self._clock()
        self._entries.put(event, entry)
