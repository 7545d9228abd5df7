"""What a decision about seats costs a ledger worker, against one that only counts.

Halls of 10,000 seats in square sections sell from the first seat to the last, two an order, then refuse. All orders
are by name, or all for the best that are left; the others are the same orders of tickets without seats. As in
lab/bench/ledger.py the commands are on the topic before the worker starts, and its cost is all of its CPU: it reads
commands from Kafka, stores records in RocksDB and sends their copies and the outcomes.

A shared machine may be half as fast a minute later. So a cost is counted in steps of the fixed job of
lab/bench/machine.py, which is done all the time meanwhile.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from lab.bench.halls import ORDER_SEATS, Names, best, counted, hall, named, neighbours, on_sale, seat_rows
from lab.bench.ledger import Stock, decide_all
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show, shows
from lab.bench.topics import Placed
from lab.bench.track import Track
from stack.member import HOST
from tables.messages.commands import Buy, TicketLine

SEED: Final = 12
HALLS: Final = 24
HALL_SEATS: Final = 10_000
SIDES: Final = (20, 50, 100)
# Of the orders that get seats, those before which nothing is measured, and of the others those behind the last seat.
WARM_UP_SHARE: Final = 0.2
REFUSED_SHARE: Final = 0.4
MEASURED_SHARE: Final = 0.95

# The line of an order for these seats of a ticket type.
MakeLine = Callable[[UUID, Names], TicketLine]


class Costs(NamedTuple):
    """The worker's CPU for a decision while there are seats, and when there are none left.

    In thousandths of a step of the fixed job.
    """

    selling: float
    sold_out: float


class _Sale(Stock):
    """Halls that sell all of their seats, in sections of ``side`` rows of as many, or as many tickets if it is 0."""

    def __init__(self, on_sale: list[Show], side: int, line: MakeLine) -> None:
        super().__init__(on_sale)
        self._side = side
        self._line = line
        self._rng = random.Random(SEED)

    def placed(self, pairs: Sequence[Names], refused: int) -> Iterator[Placed]:
        """The halls, an order for each pair of seats in each, and so many more that find none left."""
        sections = sorted({seats[0].partition("-")[0] for seats in pairs})
        for show in self.on_sale:
            for piece in hall(show, sections, self._side) if self._side else ():
                yield show.partition, show.key, piece
            yield show.partition, show.key, on_sale(show, seated=self._side > 0)
        for seats in pairs:
            yield from self._orders(seats, counts=True)
        for seats in pairs[:refused]:
            yield from self._orders(seats, counts=not self._side)

    def _orders(self, seats: Names, *, counts: bool) -> Iterator[Placed]:
        """An order for these seats of each hall."""
        for show in self.on_sale:
            if counts:
                self.asked[show.event] += ORDER_SEATS
            yield show.partition, show.key, Buy(show.event, self._id(), self._id(), [self._line(show.types[0], seats)])

    def _id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128), version=4)


def cost(lab: Lab) -> Figures:
    """For each size of a section, the dearest decision about seats in it against one without seats."""
    plain = _sell(lab, 0, lambda kind, _: counted(kind))
    figures = {}
    for side in SIDES:
        by_name = _sell(lab, side, named)
        as_best = _sell(lab, side, lambda kind, _: best(kind))
        dearest = max(
            by_name.selling / plain.selling,
            as_best.selling / plain.selling,
            by_name.sold_out / plain.sold_out,
            as_best.sold_out / plain.sold_out,
        )
        figures[f"seats.cost_ratio_{side}x{side}"] = dearest
        lab.series[f"seats.cost_{side}"] = {
            name: costs._asdict() for name, costs in (("counted", plain), ("named", by_name), ("best", as_best))
        }
    return figures


def _sell(lab: Lab, side: int, line: MakeLine) -> Costs:
    """Sell all seats, refuse further orders, and see that each seat was sold."""
    pairs = _pairs(side or SIDES[-1])
    refused = round(REFUSED_SHARE * len(pairs))
    with lab.stack() as stack:
        halls = shows(lab.count(HALLS), 1, lab.settings(stack).partitions, random.Random(SEED))
        sale = _Sale(halls, side, line)
        selling = len(halls) * (1 + len(pairs))
        count = selling + len(halls) * refused
        track = decide_all(lab, stack, sale.placed(pairs, refused), count)
        sale.check(f"http://{HOST}:{stack.settings.worker_port}")
    return _costs(track, selling, count)


def _pairs(side: int) -> list[Names]:
    """All pairs of neighbours in a hall, in a random order."""
    sections = [f"S{number}" for number in range(1, 1 + HALL_SEATS // side**2)]
    pairs = [pair for section in sections for pair in neighbours(seat_rows(section, side))]
    return random.Random(SEED).sample(pairs, len(pairs))


def _costs(track: Track, selling: int, all_orders: int) -> Costs:
    """The cost until ``selling`` decisions are made, and behind them; the ends of both are left out."""
    margin = round((1 - MEASURED_SHARE) * selling)
    stretches = (round(WARM_UP_SHARE * selling), selling - margin), (selling + margin, all_orders - margin)
    selling_us, sold_out_us = [track.between(*each).microseconds("worker") for each in stretches]
    selling_pace, sold_out_pace = [track.pace(*each) for each in stretches]
    return Costs(selling_us / selling_pace, sold_out_us / sold_out_pace)


MEASUREMENTS: Final = (
    Measurement("seats.cost", "a worker's decisions about seats in sections of 20 × 20 to 100 × 100", cost),
)
