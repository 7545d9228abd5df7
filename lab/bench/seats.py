"""What the rules of a decision about seats cost, against one without seats. In process, without servers.

Two seats an order, by name and the best available, in square sections that are empty, half full at random and full. In
a full one every order is refused. Seats that were sold are given back before the next try. Only the ledger is measured:
no reading of commands, no RocksDB and no Kafka, all of which lab/bench/seat_decisions.py measures with it.

Each cost is the least of TRIES with few orders each, since whatever else the machine does only adds to it. Orders with
and without seats take turns, since what runs alone stays in the processor's caches, which it never does in a worker.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from lab.bench.halls import Names, best, counted, hall, named, neighbours, on_sale, seat_rows
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import random_id, shows
from lab.bench.partition import Partition
from tables.messages.commands import Buy, Cancel, Command, TicketLine
from tables.messages.sections import ORDER_MAX_SEATS

SEED: Final = 11
TRIES: Final = 200
EVENTS: Final = 1
ORDERS_EACH: Final = 16
SIDES: Final = (20, 50, 100)
FILLS: Final = (0.0, 0.5, 1.0)
SECTION: Final = "A"

MakeLine = Callable[[UUID, int], TicketLine]


class _HallsOnSale:
    """Events on sale, whose sections have ``side`` rows of as many seats, or no seats at all if it is 0."""

    def __init__(self, lab: Lab, side: int) -> None:
        self._rng = random.Random(SEED)
        self._shows = shows(lab.count(EVENTS), 1, 1, self._rng)
        self._partition = Partition()
        commands: list[Command] = []
        for show in self._shows:
            commands += [*(hall(show, [SECTION], side) if side else ()), on_sale(show, seated=side > 0)]
        self._partition.decide(commands)

    def take(self, seats: Sequence[str]) -> None:
        """Sell these seats of each section."""
        parts = [tuple(seats[first : first + ORDER_MAX_SEATS]) for first in range(0, len(seats), ORDER_MAX_SEATS)]
        self._partition.decide(self._orders(lambda key, number: named(key, parts[number]), len(parts)))

    def decision_s(self, line: MakeLine, *, refused: bool = False) -> float:
        """The CPU time of a decision in one try; ``line`` makes that of the n-th order for a ticket type."""
        orders = self._orders(line, ORDERS_EACH)
        seconds = self._partition.decide(orders)
        if not refused:
            self._partition.decide([Cancel(order.event, order.purchase, order.account) for order in orders])
        return seconds / len(orders)

    def _orders(self, line: MakeLine, count: int) -> list[Buy]:
        return [
            Buy(show.event, random_id(self._rng), random_id(self._rng), [line(show.types[0], number)])
            for number in range(count)
            for show in self._shows
        ]


def rules(lab: Lab) -> Figures:
    """For each size of a section, the dearest decision about seats in it against one without seats."""
    figures = {}
    for side in SIDES:
        with lab.step(f"{side} × {side} seats"):
            figures[f"seats.rules_ratio_{side}x{side}"] = max(max(_ratios(lab, side, fill)) for fill in FILLS)
    return figures


def _ratios(lab: Lab, side: int, fill: float) -> tuple[float, float]:
    """What a decision costs by name and as the best available, against one that only counts."""
    rows = seat_rows(SECTION, side)
    seats = [name for row in rows for name in row]
    taken = random.Random(SEED).sample(seats, round(fill * len(seats)))
    pairs = _pairs(rows, set(seats) if fill == 1 else set(seats).difference(taken))
    counting, seating = _HallsOnSale(lab, 0), _HallsOnSale(lab, side)
    seating.take(taken)
    counts, by_name, as_best = [], [], []
    for _ in range(lab.count(TRIES)):
        counts.append(counting.decision_s(lambda key, _: counted(key)))
        by_name.append(seating.decision_s(lambda key, number: named(key, pairs[number]), refused=fill == 1))
        as_best.append(seating.decision_s(lambda key, _: best(key), refused=fill == 1))
    return min(by_name) / min(counts), min(as_best) / min(counts)


def _pairs(rows: Sequence[Sequence[str]], among: set[str]) -> list[Names]:
    """Neighbours for ORDERS_EACH orders, spread over the section."""
    return random.Random(SEED).sample(neighbours(rows, among), ORDERS_EACH)


MEASUREMENTS: Final = (
    Measurement("seats.rules", "rules about seats in sections of 20 × 20 to 100 × 100, against those without", rules),
)
