"""Which seats of events are taken, at most a second old: however many look, PostgreSQL is asked once a second an event.

It is read from the projection ``purchase``. Of a known event only the purchases that have changed are read.
"""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from api.bounded_cache import BoundedCache
from api.organizing.seating import seats_of
from api.ports.seating import StoredPlan
from api.problems import Unavailable
from api.schemas.seating import Seats, SectionSeats

FRESH_S: Final = 1.0
KEPT_S: Final = 60.0
# A plan of 100,000 seats takes about 20 MB here.
EVENTS_MAX: Final = 20


class PurchaseSeats(NamedTuple):
    """A purchase as of the ledger's ``offset``; ``seats`` are those that it holds or has."""

    id: UUID
    offset: int
    seats: Sequence[str]


class Changes(NamedTuple):
    """The plan's version, the plan if it is another than the known one, and the purchases that changed since."""

    plan: int | None
    new_plan: StoredPlan | None
    purchases: Sequence[PurchaseSeats]


# Asked with an event, the known plan (0: none) and offset.
Ask = Callable[[UUID, int, int], Changes]


class Occupancy:
    """The seats of one plan as bits, and for each section the offset of its last change."""

    def __init__(self, event: UUID, plan: StoredPlan) -> None:
        self.event = event
        self.plan = plan.version
        self.offset = -1
        names = [[name for name, _ in seats_of(section)] for section in plan.sections]
        self._sections = [section["name"] for section in plan.sections]
        self._seats = [len(some) for some in names]
        self._bits = {name: (number, 1 << bit) for number, some in enumerate(names) for bit, name in enumerate(some)}
        self._taken = [0] * len(names)
        self._changed = [-1] * len(names)
        self._purchases: dict[UUID, list[tuple[int, int]]] = {}

    def apply(self, purchases: Iterable[PurchaseSeats]) -> None:
        """Take what has changed. First all seats are given back, since another purchase may have them now."""
        news = list(purchases)
        for each in news:
            for number, bit in self._purchases.pop(each.id, ()):
                self._taken[number] &= ~bit
                self._changed[number] = max(self._changed[number], each.offset)
        for each in news:
            seats = [self._bits[name] for name in each.seats if name in self._bits]
            for number, bit in seats:
                self._taken[number] |= bit
                self._changed[number] = max(self._changed[number], each.offset)
            if seats:
                self._purchases[each.id] = seats
        self.offset = max([self.offset, *(each.offset for each in news)])

    def begin(self) -> None:
        """All sections have changed: nobody knows what was before."""
        self._changed = [self.offset] * len(self._changed)

    def seats(self, since: int) -> Seats:
        """The sections with seats that changed at the offset ``since`` or later.

        Those of that offset too: one command may change many purchases, of which not all were there.
        """
        changed = [number for number, offset in enumerate(self._changed) if offset >= since and self._seats[number]]
        sections = [self._section(number) for number in changed]
        return Seats(event_id=self.event, plan=self.plan, offset=self.offset, sections=sections)

    def _section(self, number: int) -> SectionSeats:
        seats, taken = self._seats[number], self._taken[number]
        text = b64encode(taken.to_bytes((seats + 7) // 8, "little")).decode()
        return SectionSeats(name=self._sections[number], seats=seats, free=seats - taken.bit_count(), taken=text)


class _KnownOccupancy:
    """What is known of an event, when it was asked for, and when (s) that failed, and by which server."""

    def __init__(self) -> None:
        self.occupancy: Occupancy | None = None
        self.at = self.failed_at = float("-inf")
        self.failed_server = ""
        self.asking = threading.Lock()


class SeatOccupancy:
    """Asks ``ask`` for all threads together."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._entries: BoundedCache[UUID, _KnownOccupancy] = BoundedCache(EVENTS_MAX, KEPT_S, clock)

    def seats(self, event: UUID, since: int) -> Seats | None:
        """Which seats are taken; None without a plan. Raises Unavailable: those who wait for a question share that."""
        came_at = self._clock()
        entry = self._entries.get(event) or _KnownOccupancy()
        self._entries.put(event, entry)
        with entry.asking:
            if entry.failed_at > came_at:
                raise Unavailable(entry.failed_server)
            if self._clock() - entry.at >= FRESH_S:
                try:
                    entry.occupancy = self._renewed(event, entry.occupancy)
                except Unavailable as error:
                    entry.failed_at, entry.failed_server = self._clock(), error.server
                    raise
                entry.at = self._clock()
            return None if entry.occupancy is None else entry.occupancy.seats(since)

    def _renewed(self, event: UUID, known: Occupancy | None) -> Occupancy | None:
        changes = self._ask(event, known.plan if known else 0, known.offset if known else -1)
        if changes.plan is None:
            return None
        if changes.new_plan is not None:
            known = Occupancy(event, changes.new_plan)
            known.apply(changes.purchases)
            known.begin()
        elif known is not None:
            known.apply(changes.purchases)
        return known
