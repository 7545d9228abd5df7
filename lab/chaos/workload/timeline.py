"""What the generators of a workload share: one random generator, the operations so far, the purchases asked for."""

import random
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from kafka.partitioner.default import murmur2

from lab.chaos.workload.catalogue import Catalogue, Show
from lab.chaos.workload.operation import Operation

Json = dict[str, Any]

# How long after an event was made somebody buys from it.
ON_SALE_AFTER_S: Final = 1.0
REMEMBERED_MAX: Final = 300
# The share of purchases that go to the newest event.
NEWEST_SHARE: Final = 0.4
QUANTITIES: Final = (1, 1, 2, 2, 4)


@dataclass(frozen=True, slots=True)
class Requested:
    """A purchase that was asked for: enough to come back to it."""

    event: str
    purchase: str
    account: str
    order: Json
    key: str

    @property
    def ids(self) -> Json:
        """What names it in a command."""
        return {"event": self.event, "purchase": self.purchase, "account": self.account}

    @property
    def seats(self) -> list[str]:
        """The seats that its first line named."""
        return list(self.order["lines"][0].get("seats", ()))

    def one_ticket(self, noun: str) -> Json:
        """One ticket of its first line, by its seat if it named one. ``noun`` is what a ticket type is called."""
        if self.seats:
            return {"seats": self.seats[:1]}
        return {"lines": [{noun: self.order["lines"][0]["ticketTypeId"], "quantity": 1}]}


class Timeline:
    """The operations of a seed. ``by_rest`` and ``by_log`` are the newest purchases that were asked for."""

    def __init__(self, seed: int, catalogue: Catalogue, partitions: int) -> None:
        self.catalogue, self.partitions = catalogue, partitions
        self.rng = random.Random(f"plan {seed}")
        self.payers_rng = random.Random(f"payers {seed}")
        self.operations: list[Operation] = []
        self.by_rest: deque[Requested] = deque(maxlen=REMEMBERED_MAX)
        self.by_log: deque[Requested] = deque(maxlen=REMEMBERED_MAX)

    def add(self, at: float, what: str, name: str, **more: Any) -> None:
        """Add an operation."""
        self.operations.append(Operation(len(self.operations), at, what, name, **more))

    def show(self, at: float) -> Show:
        """An event that is on sale. The newest is drawn most, so that one after another is sold out."""
        on_sale = [show for show in self.catalogue.shows if show.at + ON_SALE_AFTER_S < at or not show.at]
        return on_sale[-1] if self.rng.random() < NEWEST_SHARE else self.rng.choice(on_sale)

    def order(self, at: float) -> tuple[Show, Json]:
        """An event and the body of a purchase of it."""
        show = self.show(at)
        types = self.rng.sample(list(show.quantities), min(len(show.quantities), self.rng.choice((1, 1, 2))))
        return show, {"eventId": show.id, "lines": [self._line(show, one) for one in types]}

    def exchange(self, requested: Requested) -> Json:
        """One seat of a purchase that named some, and any other one instead."""
        given = self.rng.choice(requested.seats)
        return {"give": [given], "take": [self.catalogue.halls[requested.event].other(self.rng, given)]}

    def _line(self, show: Show, ticket_type: str) -> Json:
        quantity = self.rng.choice(QUANTITIES)
        wish = show.hall.wish(self.rng, ticket_type, quantity) if show.hall else {}
        return {"ticketTypeId": ticket_type, "quantity": quantity, **wish}

    def uuid(self) -> str:
        """The next random id."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def partition(self) -> int:
        """Any partition."""
        return self.rng.randrange(self.partitions)

    def home(self, event: str) -> int:
        """The partition of an event: Kafka's default."""
        return int((murmur2(event.encode()) & 0x7FFFFFFF) % self.partitions)
