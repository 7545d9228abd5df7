"""The events that sell now, with how many tickets of each type are available, held and sold.

The newest balance of a ticket type wins: outcomes bring it at once, rows of ``event`` a little later.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from api.board.snapshot import EventShown, TypeShown
from tables.ids import id_bytes
from tables.messages.outcomes import Balance
from tables.offers import NONE_OUT, StockSnapshot, StockSnapshots, TicketOffer, merge_newest, snapshot_of

EVENTS_MAX: Final = 64
EVENTS_SHOWN: Final = 12


class BoardOutcome(Struct, frozen=True, rename="camel"):
    """What the board reads of an outcome."""

    at: datetime
    event: UUID
    balance: tuple[Balance, ...] = ()
    as_of: int = -1
    repeated: bool = False


decode_board_outcome: Final = msgspec.json.Decoder(BoardOutcome).decode


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """An event as PostgreSQL has it."""

    id: UUID
    title: str
    status: str
    offers: list[TicketOffer]
    stock: StockSnapshots


@dataclass(slots=True)
class _Sale:
    """An event with recent decisions. Its title and offers are unknown until its row is read."""

    row: BoardEvent | None = None
    decided: int = 0
    stock: dict[UUID, StockSnapshot] = field(default_factory=dict)


class SellingEvents:
    """At most 64 events, those with the newest decisions."""

    def __init__(self) -> None:
        self._events: OrderedDict[bytes, _Sale] = OrderedDict()

    def touch(self, event: bytes) -> None:
        """Count a decision about the event of that key."""
        sale = self._events.get(event)
        if sale is None:
            self._keep(event, _Sale(decided=1))
            return
        sale.decided += 1
        self._events.move_to_end(event)

    def update(self, outcome: BoardOutcome) -> None:
        """Take the balances of an outcome."""
        sale = self._events.get(id_bytes(outcome.event))
        if sale is not None:
            news = {balance.ticket_type: snapshot_of(balance, outcome.as_of) for balance in outcome.balance}
            sale.stock = merge_newest(sale.stock, news)

    def add_rows(self, rows: Iterable[BoardEvent]) -> None:
        """Take events from PostgreSQL; those without a decision yet come last."""
        for row in rows:
            key = str(row.id).encode()
            if key not in self._events and len(self._events) < EVENTS_MAX:
                self._events[key] = _Sale()
                self._events.move_to_end(key, last=False)
            if (sale := self._events.get(key)) is not None:
                sale.row = row
                sale.stock = merge_newest(sale.stock, row.stock)

    @property
    def newest_ids(self) -> list[UUID]:
        """The ids of the events to show, the one with the newest decision first."""
        return [UUID(key.decode()) for key in list(reversed(self._events))[:EVENTS_SHOWN]]

    def shown(self) -> tuple[EventShown, ...]:
        """The events to show whose rows are known, by title: by rate they would keep changing places."""
        latest = list(reversed(self._events.values()))[:EVENTS_SHOWN]
        shown = (_shown(sale.row, sale) for sale in latest if sale.row is not None)
        return tuple(sorted(shown, key=lambda event: (event.title, event.id)))

    def _keep(self, key: bytes, sale: _Sale) -> None:
        self._events[key] = sale
        while len(self._events) > EVENTS_MAX:
            self._events.popitem(last=False)


def _shown(row: BoardEvent, sale: _Sale) -> EventShown:
    types = tuple(_type(offer, sale.stock.get(offer.id, NONE_OUT)) for offer in row.offers)
    return EventShown(row.id, row.title, row.status, sale.decided, types)


def _type(offer: TicketOffer, out: StockSnapshot) -> TypeShown:
    available = max(0, offer.quantity - out.held - out.sold)
    return TypeShown(offer.id, offer.name, offer.quantity, out.held, out.sold, available)
