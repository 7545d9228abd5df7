"""The tickets of the events that this worker decides: the busiest by name, the others as a sum.

A batch only leaves the events that it changed; they are counted when somebody looks. Events that no batch has
changed since the worker took over their partition are read from the table, a few at a time.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import Final
from uuid import UUID

from prometheus_client import Metric as Family

from streams.runtime.app import App
from streams.runtime.assignment import active_partitions
from streams.runtime.table import OffsetTable
from tables.ledger.deadlines import HOLDS_PREFIX, deadline_of
from tables.ledger.inventory import Inventory
from tables.ledger.records import decode_event, event_key
from tables.ledger.stock_totals import EventStock, StockTotals, broken_invariants, event_stock
from telemetry.metrics import ledger as metric

BUSIEST: Final = 20
OTHER: Final = "other"
TITLE: Final = 80
# An event that was busy once is half as busy so many seconds later.
HALF_LIFE_S: Final = 600.0
READ_AT_ONCE: Final = 50
MOST_CHANGED: Final = 5_000
PAUSE_S: Final = 0.01
_LAST: Final = b"\xff"


class Tallies:
    """The events by partition, with how busy each is."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self.app = app
        self.table = table
        self._changed: dict[int, dict[UUID, Inventory]] = {}
        self._tallies: dict[int, dict[UUID, EventStock]] = {}
        self._busy: defaultdict[UUID, float] = defaultdict(float)
        self._broken: Counter[str] = Counter(negative=0, oversold=0)
        self._looked = time.monotonic()
        self._reading: asyncio.Task[None] | None = None
        app.figures.sources.append(self.collect)
        app.before_agents.append(self._begin)
        app.on_partitions_assigned.connect(self._forget)

    def changed(self, partition: int, inventories: Iterable[Inventory]) -> None:
        """A batch has changed these events."""
        changed = self._changed.setdefault(partition, {})
        for inventory in inventories:
            changed[inventory.id] = inventory
            self._busy[inventory.id] += 1
        if len(changed) > MOST_CHANGED:
            self._count()

    def collect(self) -> Iterator[Family]:
        """The metrics."""
        self._count()
        self._calm_down()
        known = {event: tally for each in self._tallies.values() for event, tally in each.items()}
        yield metric.EVENT_TICKETS.of(_by_event(known, self._busiest(known)))
        yield metric.OVERCOMMITTED.one(sum(tally.overcommitted for tally in known.values()))
        yield metric.BREACHES.of({(name,): count for name, count in self._broken.items()})
        yield metric.HOLD_OVERDUE.one(max([self._overdue(partition) for partition in self._tallies], default=0.0))

    def _busiest(self, tallies: dict[UUID, EventStock]) -> set[UUID]:
        busy = self._busy
        return set(nlargest(BUSIEST, tallies, key=lambda event: (busy.get(event, 0.0), tallies[event].out)))

    def _count(self) -> None:
        for partition, changed in self._changed.items():
            tallies = self._tallies.setdefault(partition, {})
            for event, inventory in changed.items():
                tally = event_stock(inventory)
                self._broken.update(broken_invariants(tallies.get(event), tally))
                tallies[event] = tally
        self._changed.clear()

    def _calm_down(self) -> None:
        now = time.monotonic()
        share = 0.5 ** ((now - self._looked) / HALF_LIFE_S)
        self._looked = now
        for event in self._busy:
            self._busy[event] *= share

    def _overdue(self, partition: int) -> float:
        for entry, _ in self.table.scan(partition, HOLDS_PREFIX) if self._owns(partition) else ():
            return max(0.0, time.time() - deadline_of(entry) / 1000)
        return 0.0

    async def _begin(self) -> None:
        """The tables are whole: read what they have, while the agents go on."""
        if self._reading is not None:
            self._reading.cancel()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        for partition in range(self.app.settings.partitions):
            if not self._owns(partition):
                continue
            tallies = self._tallies.setdefault(partition, {})
            for number, inventory in enumerate(self._events(partition)):
                tallies.setdefault(inventory.id, event_stock(inventory))
                if number % READ_AT_ONCE == 0:
                    await asyncio.sleep(PAUSE_S)

    def _events(self, partition: int) -> Iterator[Inventory]:
        """The events of a partition, leaping over their purchases."""
        start = HOLDS_PREFIX + _LAST
        while self._owns(partition):
            key = next(self.table.scan(partition, b"", start), None)
            if key is None:
                return
            event = UUID(bytes=key[0][:16])
            record = self.table.read(partition, event_key(event))
            if record is not None:
                yield Inventory.from_record(event, decode_event(record))
            start = event.bytes + _LAST

    def _owns(self, partition: int) -> bool:
        """Whether the partition is decided here; a warm copy of another worker's is not."""
        return partition in active_partitions(self.app, self.table.name) and self.table.has_open(partition)

    async def _forget(self, *_: object, **__: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._changed.clear()
        self._tallies.clear()
        self._busy.clear()


def _by_event(tallies: dict[UUID, EventStock], named: set[UUID]) -> dict[tuple[str, ...], float]:
    samples: dict[tuple[str, ...], float] = {}
    others = StockTotals()
    for event, tally in tallies.items():
        if event in named:
            samples |= _samples(str(event), tally.title[:TITLE], StockTotals().plus(tally))
        else:
            others = others.plus(tally)
    return samples | _samples(OTHER, "", others)


def _samples(event: str, title: str, sums: StockTotals) -> dict[tuple[str, ...], float]:
    return {(event, title, state): count for state, count in sums._asdict().items()}
