"""What a decision about seats costs a ledger worker, against one that only counts.

Halls of 10,000 seats in square sections sell from the first seat to the last, two an order, then refuse. A third of
them sell seats by name, a third the best that are left, and a third as many tickets without seats. As in
lab/bench/ledger.py the commands are on the topic before the worker starts, and its cost is all of its CPU: it reads
commands from Kafka, stores records in RocksDB and sends their copies and the outcomes.

A shared machine may be half as fast a minute later. So one worker decides all kinds of orders by turns, a second or two
of each, and a kind costs what all its blocks cost. The halls are on one partition: of several a worker reads one ahead
of the others, and the blocks would mix.
"""

import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

from lab.bench.halls import ORDER_SEATS, Names, best, counted, hall, named, neighbours, on_sale, seat_rows
from lab.bench.ledger import Stock, decide_all
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import random_id, shows
from lab.bench.topics import Placed
from lab.bench.track import Track
from stack.member import HOST
from tables.messages.commands import Buy, TicketLine

SEED: Final = 12
HALLS: Final = 32
HALL_SEATS: Final = 10_000
SIDES: Final = (20, 50, 100)
# The first round of sales warms the worker up and is not measured.
SELLING_ROUNDS: Final = 5
SOLD_OUT_ROUNDS: Final = 2
# At both ends of a block a batch of up to 6,000 has orders of another one too.
MARGIN_SHARE: Final = 0.2

# The line of an order for these seats of a ticket type.
MakeLine = Callable[[UUID, Names], TicketLine]
COUNTED: Final = "counted"
KINDS: Final[dict[str, MakeLine]] = {
    COUNTED: lambda ticket_type, _: counted(ticket_type),
    "named": named,
    "best": lambda ticket_type, _: best(ticket_type),
}


class Block(NamedTuple):
    """Orders of one kind, one after the other: each pair of seats in each hall of that kind."""

    kind: str
    pairs: list[Names]
    sold_out: bool
    measured: bool


class Sale(Stock):
    """Halls for each kind of orders, with sections of ``side`` rows of as many seats, and their orders in blocks."""

    def __init__(self, lab: Lab, side: int, partitions: int) -> None:
        self._rng = random.Random(SEED)
        halls = lab.count(HALLS)
        # One in so many is on the first partition.
        drawn = shows(halls * len(KINDS) * partitions, 1, partitions, self._rng)[::partitions]
        super().__init__(drawn)
        self._halls = {kind: drawn[number :: len(KINDS)] for number, kind in enumerate(KINDS)}
        self._sections = [f"S{number}" for number in range(1, 1 + HALL_SEATS // side**2)]
        self._side = side
        self.blocks = self._blocks()
        self.count = len(drawn) + sum(map(self.orders, self.blocks))

    def orders(self, block: Block) -> int:
        """The orders of a block."""
        return len(block.pairs) * len(self._halls[block.kind])

    def placed(self) -> Iterator[Placed]:
        """The halls, then every order."""
        for kind, halls in self._halls.items():
            for show in halls:
                for piece in hall(show, self._sections, self._side) if kind != COUNTED else ():
                    yield show.partition, show.key, piece
                yield show.partition, show.key, on_sale(show, seated=kind != COUNTED, stock=HALL_SEATS)
        for block in self.blocks:
            yield from self._orders(block)

    def costs(self, track: Track, *, sold_out: bool) -> dict[str, float]:
        """The worker's CPU microseconds for a decision of each kind, of orders that get tickets or find none left."""
        done, cpu, decided = len(self.on_sale), dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
        for block in self.blocks:
            begin, done = done, done + self.orders(block)
            if block.measured and block.sold_out == sold_out:
                margin = round(MARGIN_SHARE * self.orders(block))
                cost = track.between(begin + margin, done - margin)
                cpu[block.kind] += cost.cpu["worker"]
                decided[block.kind] += cost.done
        return {kind: 1e6 * cpu[kind] / decided[kind] for kind in KINDS}

    def _blocks(self) -> list[Block]:
        """All pairs of neighbours in a random order, by turns of the kinds, each time another one first."""
        pairs = [pair for section in self._sections for pair in neighbours(seat_rows(section, self._side))]
        random.Random(SEED).shuffle(pairs)
        rounds = [pairs[number::SELLING_ROUNDS] for number in range(SELLING_ROUNDS)]
        kinds = [*KINDS]
        return [
            Block(kinds[(number + turn) % len(kinds)], part, number >= SELLING_ROUNDS, number > 0)
            for number, part in enumerate([*rounds, *rounds[:SOLD_OUT_ROUNDS]])
            for turn in range(len(kinds))
        ]

    def _orders(self, block: Block) -> Iterator[Placed]:
        line = KINDS[block.kind]
        for seats in block.pairs:
            for show in self._halls[block.kind]:
                if not block.sold_out:
                    self.asked[show.event] += ORDER_SEATS
                order = Buy(show.event, random_id(self._rng), random_id(self._rng), [line(show.types[0], seats)])
                yield show.partition, show.key, order


def cost(lab: Lab) -> Figures:
    """For each size of a section, the dearest decision about seats in it against the same without seats."""
    figures = {}
    for side in SIDES:
        with lab.stack() as stack:
            sale = Sale(lab, side, lab.settings(stack).partitions)
            track = decide_all(lab, stack, sale.placed(), sale.count)
            sale.check(f"http://{HOST}:{stack.settings.worker_port}")
        selling, sold_out = [sale.costs(track, sold_out=each) for each in (False, True)]
        ratios = [costs[kind] / costs[COUNTED] for costs in (selling, sold_out) for kind in KINDS if kind != COUNTED]
        figures[f"seats.cost_ratio_{side}x{side}"] = max(ratios)
        lab.series[f"seats.cost_{side}"] = {"selling": selling, "sold_out": sold_out}
    return figures


MEASUREMENTS: Final = (
    Measurement("seats.cost", "a worker's decisions about seats in sections of 20 × 20 to 100 × 100", cost),
)
