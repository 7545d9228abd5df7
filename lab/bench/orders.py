"""The events and purchases that the measurements sell: seeded, spread evenly over the partitions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from connect.partitioning import home_of
from tables.messages.commands import Buy, DefineEvent, EventDefinition, TicketLine, TicketTypeDefinition
from tables.messages.statuses import EventStatus

STOCK = 10_000_000
PURCHASE_TICKETS_MAX = 4
ACCOUNT_TICKETS_MAX = 2 * PURCHASE_TICKETS_MAX


@dataclass(frozen=True, slots=True)
class Show:
    """An event on sale: the partition that decides it and its ticket types."""

    event: UUID
    partition: int
    types: tuple[UUID, ...]

    @property
    def key(self) -> bytes:
        """The key of its commands."""
        return str(self.event).encode()


def shows(events: int, types: int, partitions: int, rng: random.Random) -> list[Show]:
    """So many events with so many ticket types each, the same number on every partition."""
    made: list[Show] = []
    while len(made) < events:
        event = random_id(rng)
        partition = home_of(event, partitions)
        if partition == len(made) % partitions:
            made.append(Show(event, partition, tuple(random_id(rng) for _ in range(types))))
    return made


def definition(show: Show, stock: int = STOCK, version: int = 1) -> DefineEvent:
    """The command that puts the show on sale, with limits per order and per account."""
    kinds = [
        TicketTypeDefinition(id=kind, name=f"Category {number}", price=Decimal("49.90"), currency="EUR", quantity=stock)
        for number, kind in enumerate(show.types, start=1)
    ]
    facts = EventDefinition(
        title=f"Benchmark night {show.event.hex[:6]}",
        status=EventStatus.ACTIVE,
        starts_at=datetime(2040, 6, 1, 18, tzinfo=UTC),
        ends_at=datetime(2040, 6, 1, 22, tzinfo=UTC),
        time_zone="Europe/Vienna",
        venue="Old Gasworks",
        city="Vienna",
        max_per_order=ACCOUNT_TICKETS_MAX,
        max_per_account=ACCOUNT_TICKETS_MAX,
        ticket_types=kinds,
    )
    return DefineEvent(show.event, version, facts)


def purchases(on_sale: list[Show], count: int, rng: random.Random) -> Iterator[tuple[Show, Buy]]:
    """Purchases of each event in turn: 1 to 4 tickets of one type, each by a new account."""
    for number in range(count):
        show = on_sale[number % len(on_sale)]
        lines = [TicketLine(rng.choice(show.types), rng.randint(1, PURCHASE_TICKETS_MAX))]
        yield show, Buy(show.event, random_id(rng), random_id(rng), lines)


def random_id(rng: random.Random) -> UUID:
    """An id that is the same in every run."""
    return UUID(int=rng.getrandbits(128), version=4)
