"""What is left of events, a moment old at most: however many look, the ledger is asked for an event once a second."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from api.bounded_cache import Bounded
from api.ports.sales import Left
from api.problems import Unavailable
from tables.ledger.availability import Availability

FRESH_S: Final = 1.0
# Longer than any question takes: whoever looks meanwhile is told what was known.
KEPT_S: Final = 5.0
MOST: Final = 2_000

Shelves = dict[UUID, Left]


class Known:
    """What was told last, and when."""

    def __init__(self) -> None:
        self.shelves: Shelves | None = None
        self.at = float("-inf")
        self.asking = threading.Lock()


class ShelfViews:
    """Asks ``ask`` (the ledger's view of an event) on behalf of all who look."""

    def __init__(self, ask: Callable[[UUID], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._known: Bounded[UUID, Known] = Bounded(MOST, KEPT_S, clock)

    def left(self, event: UUID) -> Shelves | None:
        """By ticket type; None where nobody can tell."""
        known = self._known.get(event)
        if known is None:
            known = Known()
            self._known.put(event, known)
        if self._clock() - known.at >= FRESH_S and known.asking.acquire(blocking=known.at < 0):
            try:
                self._renew(event, known)
            finally:
                known.asking.release()
        return known.shelves

    def _renew(self, event: UUID, known: Known) -> None:
        if self._clock() - known.at < FRESH_S:
            return
        try:
            known.shelves = {UUID(each["ticketType"]): _left(each) for each in self._ask(event).get("ticketTypes", ())}
        except Unavailable:
            known.shelves = None
        known.at = self._clock()
        self._known.put(event, known)


def _left(told: dict[str, Any]) -> Left:
    return Left(Availability(told["state"]), told["available"])
