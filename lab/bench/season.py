"""A season of sales: purchases, holds that are confirmed or run out, cancellations, changed definitions; seeded."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from lab.bench.orders import Show, definition, purchases
from lab.bench.topics import Placed
from tables.messages.commands import Buy, Cancel, Confirm, EventCommand, Hold

CONFIRMED_SHARE: Final = 0.15
RUN_OUT_SHARE: Final = 0.05
CANCELLED_SHARE: Final = 0.10
HOLD_S: Final = 20
FOLLOW_UP_AFTER: Final = 5_000
CHANGED_EVERY: Final = 500


class Season:
    """The commands of a season, and what the ledger must have sold once the last hold has expired."""

    def __init__(self, on_sale: list[Show], seed: int) -> None:
        self.on_sale = on_sale
        self.sold: Counter[UUID] = Counter()
        self._rng = random.Random(seed)
        self._buyers = random.Random(seed + 1)
        self._later: deque[tuple[int, Show, EventCommand]] = deque()

    def commands(self, count: int) -> Iterator[Placed]:
        """So many purchases and holds, with their confirms and cancels some thousand purchases later."""
        for number, (show, purchase) in enumerate(purchases(self.on_sale, count, self._buyers)):
            while self._later and self._later[0][0] <= number:
                yield _placed(*self._later.popleft()[1:])
            if number % CHANGED_EVERY == 0:
                changed = self.on_sale[number // CHANGED_EVERY % len(self.on_sale)]
                yield _placed(changed, definition(changed, version=2 + number))
            yield _placed(show, self._first(number, show, purchase))
        for _, show, command in self._later:
            yield _placed(show, command)
        self._later.clear()

    def _first(self, number: int, show: Show, purchase: Buy) -> EventCommand:
        tickets = sum(line.quantity for line in purchase.lines)
        fate = self._rng.random()
        ids = (purchase.event, purchase.purchase, purchase.account)
        hold = Hold(*ids, purchase.lines, seconds=HOLD_S)
        if fate < RUN_OUT_SHARE:
            return hold
        if fate < RUN_OUT_SHARE + CANCELLED_SHARE:
            self._later.append((number + FOLLOW_UP_AFTER, show, Cancel(*ids)))
            return purchase
        self.sold[show.event] += tickets
        if fate < RUN_OUT_SHARE + CANCELLED_SHARE + CONFIRMED_SHARE:
            self._later.append((number + FOLLOW_UP_AFTER, show, Confirm(*ids)))
            return hold
        return purchase


def _placed(show: Show, command: EventCommand) -> Placed:
    return show.partition, show.key, command
