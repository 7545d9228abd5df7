"""The events that sell now, with what of each ticket type is available, held and sold.

The newest news of a type wins, wherever it comes from: outcomes tell it at once, rows of ``event`` a little later.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.messages.outcomes import Balance
from tables.offers import NONE_OUT, StockSnapshot, StockSnapshots, TicketOffer, merge_newest, snapshot_of

KEPT: Final = 64
SHOWN: Final = 12


class Told(Struct, frozen=True, rename="camel"):
    """What the board reads of an outcome."""

    at: datetime
    event: UUID
    balance: tuple[Balance, ...] = ()
    as_of: int = -1
    repeated: bool = False


decode_told: Final = msgspec.json.Decoder(Told).decode


class TypeShown(Struct, frozen=True):
    """A ticket type as a bar. Only where its quantity was lowered may more be out than there is."""

    id: UUID
    name: str
    quantity: int
    held: int
    sold: int
    available: int


class EventShown(Struct, frozen=True):
    """An event as it is shown. ``decided`` counts its decisions since this process came to know it."""

    id: UUID
    title: str
    status: str
    decided: int
    types: tuple[TypeShown, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An event as PostgreSQL tells it."""

    id: UUID
    title: str
    status: str
    offers: list[TicketOffer]
    stock: StockSnapshots


@dataclass(slots=True)
class _Sale:
    """An event that lately had decisions; its title and offers are unknown until its row was read."""

    row: Row | None = None
    decided: int = 0
    stock: dict[UUID, StockSnapshot] = field(default_factory=dict)


class Selling:
    """At most KEPT events, those with the newest decisions."""

    def __init__(self) -> None:
        self._events: OrderedDict[bytes, _Sale] = OrderedDict()

    def touch(self, event: bytes) -> None:
        """The event of that key has had a decision."""
        sale = self._events.get(event)
        if sale is None:
            self._keep(event, _Sale(decided=1))
            return
        sale.decided += 1
        self._events.move_to_end(event)

    def tell(self, told: Told) -> None:
        """What an outcome says of stock."""
        sale = self._events.get(str(told.event).encode())
        if sale is not None:
            news = {balance.ticket_type: snapshot_of(balance, told.as_of) for balance in told.balance}
            sale.stock = merge_newest(sale.stock, news)

    def know(self, rows: Iterable[Row]) -> None:
        """What PostgreSQL says of events; those that nothing was heard of yet come last."""
        for row in rows:
            key = str(row.id).encode()
            if key not in self._events and len(self._events) < KEPT:
                self._events[key] = _Sale()
                self._events.move_to_end(key, last=False)
            if (sale := self._events.get(key)) is not None:
                sale.row = row
                sale.stock = merge_newest(sale.stock, row.stock)

    @property
    def newest(self) -> list[UUID]:
        """The events to be shown, the one with the newest decision first."""
        return [UUID(key.decode()) for key in list(reversed(self._events))[:SHOWN]]

    def look(self) -> tuple[EventShown, ...]:
        """The events to be shown whose rows are known, by name: by rate they would change places all the time."""
        latest = list(reversed(self._events.values()))[:SHOWN]
        shown = (_shown(sale.row, sale) for sale in latest if sale.row is not None)
        return tuple(sorted(shown, key=lambda event: (event.title, event.id)))

    def _keep(self, key: bytes, sale: _Sale) -> None:
        self._events[key] = sale
        while len(self._events) > KEPT:
            self._events.popitem(last=False)


def _shown(row: Row, sale: _Sale) -> EventShown:
    types = tuple(_type(offer, sale.stock.get(offer.id, NONE_OUT)) for offer in row.offers)
    return EventShown(row.id, row.title, row.status, sale.decided, types)


def _type(offer: TicketOffer, out: StockSnapshot) -> TypeShown:
    available = max(0, offer.quantity - out.held - out.sold)
    return TypeShown(offer.id, offer.name, offer.quantity, out.held, out.sold, available)
