"""Gauges of the tickets of the events that this worker owns: the busiest events by name, the others as a sum.

A batch only notes the events that it changed; they are summed up when the metrics are read. Events that no batch has
changed since this worker took over their partition are read from the table, a few at a time.
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
from tables.ledger.scans import EventScan
from tables.ledger.stock_totals import EventStock, StockTotals, broken_invariants, event_stock
from telemetry.metrics import worker as metric

NAMED_EVENTS_MAX: Final = 20
OTHER: Final = "other"
TITLE_MAX_CHARACTERS: Final = 80
# After this time without a change an event counts as half as busy.
BUSYNESS_HALF_LIFE_S: Final = 600.0
READ_BATCH_EVENTS: Final = 50
READ_PAUSE_S: Final = 0.01
CHANGED_EVENTS_MAX: Final = 5_000


class StockGauges:
    """The totals of each event by partition, and how busy each event is."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self.app = app
        self.table = table
        self._changed: dict[int, dict[UUID, Inventory]] = {}
        self._totals: dict[int, dict[UUID, EventStock]] = {}
        self._busyness: defaultdict[UUID, float] = defaultdict(float)
        self._breaches: Counter[str] = Counter(negative=0, oversold=0)
        self._decayed_at_s = time.monotonic()
        self._reading: asyncio.Task[None] | None = None
        app.counters.collectors.append(self.collect)
        app.before_agents.append(self._start_reading)
        app.on_partitions_assigned.connect(self._forget)

    def changed(self, partition: int, inventories: Iterable[Inventory]) -> None:
        """A batch has changed these events."""
        changed = self._changed.setdefault(partition, {})
        for inventory in inventories:
            changed[inventory.id] = inventory
            self._busyness[inventory.id] += 1
        if len(changed) > CHANGED_EVENTS_MAX:
            self._sum_up()

    def collect(self) -> Iterator[Family]:
        self._sum_up()
        self._decay()
        known = {event: totals for each in self._totals.values() for event, totals in each.items()}
        yield metric.EVENT_TICKETS.of(_by_event(known, self._busiest(known)))
        yield metric.OVERCOMMITTED.one(sum(totals.overcommitted for totals in known.values()))
        yield metric.BREACHES.of({(name,): count for name, count in self._breaches.items()})
        yield metric.HOLD_OVERDUE.one(max([self._overdue_s(partition) for partition in self._totals], default=0.0))

    def _busiest(self, totals: dict[UUID, EventStock]) -> set[UUID]:
        busyness = self._busyness
        return set(nlargest(NAMED_EVENTS_MAX, totals, key=lambda event: (busyness.get(event, 0.0), totals[event].out)))

    def _sum_up(self) -> None:
        for partition, changed in self._changed.items():
            known = self._totals.setdefault(partition, {})
            for event, inventory in changed.items():
                totals = event_stock(inventory)
                self._breaches.update(broken_invariants(known.get(event), totals))
                known[event] = totals
        self._changed.clear()

    def _decay(self) -> None:
        now_s = time.monotonic()
        share = 0.5 ** ((now_s - self._decayed_at_s) / BUSYNESS_HALF_LIFE_S)
        self._decayed_at_s = now_s
        for event in self._busyness:
            self._busyness[event] *= share

    def _overdue_s(self, partition: int) -> float:
        """How long ago the earliest deadline of an open hold passed."""
        for entry, _ in self.table.scan(partition, HOLDS_PREFIX) if self._owns(partition) else ():
            return max(0.0, time.time() - deadline_of(entry) / 1000)
        return 0.0

    async def _start_reading(self) -> None:
        """Read the recovered tables while the agents run."""
        if self._reading is not None:
            self._reading.cancel()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        for partition in range(self.app.settings.partitions):
            if not self._owns(partition):
                continue
            known = self._totals.setdefault(partition, {})
            for number, inventory in enumerate(self._events(partition)):
                known.setdefault(inventory.id, event_stock(inventory))
                if number % READ_BATCH_EVENTS == 0:
                    await asyncio.sleep(READ_PAUSE_S)

    def _events(self, partition: int) -> Iterator[Inventory]:
        """The events of a partition. Seeks past the purchases of each."""
        events = EventScan(
            lambda key: self.table.read(partition, key), lambda start: self.table.scan(partition, b"", start)
        )
        while self._owns(partition) and events.position is not None:
            inventory = events.step()
            if inventory is not None:
                yield inventory

    def _owns(self, partition: int) -> bool:
        """Whether this worker decides the partition; not where it only keeps a standby copy."""
        return partition in active_partitions(self.app, self.table.name) and self.table.is_open(partition)

    async def _forget(self, *_: object, **__: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._changed.clear()
        self._totals.clear()
        self._busyness.clear()


def _by_event(totals: dict[UUID, EventStock], named: set[UUID]) -> dict[tuple[str, ...], float]:
    samples: dict[tuple[str, ...], float] = {}
    others = StockTotals()
    for event, each in totals.items():
        if event in named:
            samples |= _samples(str(event), each.title[:TITLE_MAX_CHARACTERS], StockTotals().plus(each))
        else:
            others = others.plus(each)
    return samples | _samples(OTHER, "", others)


def _samples(event: str, title: str, sums: StockTotals) -> dict[tuple[str, ...], float]:
    return {(event, title, state): count for state, count in sums._asdict().items()}
