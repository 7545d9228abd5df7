"""The events that sell now, with how many tickets of each type are available, held and sold.

An event sells now if it is on sale and somebody bought or held tickets of it in the last five minutes; one that has
sold out meanwhile stays that long. The newest balance of a ticket type wins: outcomes bring it at once, rows of
``event`` a little later.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from msgspec import Struct

from api.board.board_text import NOTHING, board_text
from api.board.snapshot import EventShown, TypeShown
from tables.ids import id_bytes
from tables.messages.availability import Tickets
from tables.messages.commands import Moment
from tables.messages.encoding import json_decoder
from tables.messages.outcomes import Balance
from tables.offers import NONE_OUT, EventOffer, StockSnapshots, TicketOffer, merge_newest, snapshot_of

EVENTS_MAX: Final = 64
EVENTS_SHOWN: Final = 12
RECENT_S: Final = 300
# What a card says of the tickets of an event that sells; of any other event there is no card.
_NOTES: Final = {
    Tickets.AVAILABLE: NOTHING,
    Tickets.LOW: board_text("few left"),
    Tickets.HELD: board_text("all held"),
    Tickets.SOLD_OUT: board_text("sold out"),
}


class BoardOutcome(Struct, frozen=True, rename="camel"):
    """What the board reads of an outcome."""

    at: Moment
    event: UUID
    balance: tuple[Balance, ...] = ()
    as_of: int = -1
    repeated: bool = False


decode_board_outcome: Final = json_decoder(BoardOutcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEvent:
    """An event as PostgreSQL has it."""

    id: UUID
    title: str
    status: str
    capacity: int | None
    ends_at: datetime
    offers: list[TicketOffer]
    stock: StockSnapshots


@dataclass(slots=True)
class _Sale:
    """An event with the time of its last sale or hold (seconds since 1970). Its row is unknown until it is read."""

    sold_at: float
    sales: int = 0
    row: BoardEvent | None = None
    stock: StockSnapshots = field(default_factory=dict)

    def is_recent(self, now: float) -> bool:
        """Whether the last sale was within RECENT_S of ``now``, which may be before it if the clock was set back."""
        return abs(now - self.sold_at) < RECENT_S


class SellingEvents:
    """At most 64 events, those with the newest sales. ``now`` is always in seconds since 1970."""

    def __init__(self) -> None:
        self._events: OrderedDict[bytes, _Sale] = OrderedDict()

    def count(self, event: bytes, now: float) -> None:
        """Count a purchase or hold of tickets of the event of that key."""
        sale = self._events.setdefault(event, _Sale(now))
        sale.sold_at = now
        sale.sales += 1
        self._events.move_to_end(event)
        if len(self._events) > EVENTS_MAX:
            self._events.popitem(last=False)

    def update(self, outcome: BoardOutcome) -> None:
        """Take the balances of an outcome."""
        sale = self._events.get(id_bytes(outcome.event))
        if sale is not None:
            news = {balance.ticket_type: snapshot_of(balance, outcome.as_of) for balance in outcome.balance}
            sale.stock = merge_newest(sale.stock, news)

    def add_rows(self, rows: Iterable[BoardEvent]) -> None:
        """Take the rows of these events from PostgreSQL."""
        for row in rows:
            if (sale := self._events.get(id_bytes(row.id))) is not None:
                sale.row = row
                sale.stock = merge_newest(sale.stock, row.stock)

    def recent_ids(self, now: float) -> list[UUID]:
        """The ids of the events with a recent sale, the newest first."""
        recent = [key for key, sale in reversed(self._events.items()) if sale.is_recent(now)]
        return [event for key in recent if (event := _event_of(key)) is not None]

    def shown(self, now: float) -> tuple[EventShown, ...]:
        """Those that sell now, by title: by rate they would keep changing places."""
        recent = (sale for sale in reversed(self._events.values()) if sale.is_recent(now))
        latest = list(islice((shown for sale in recent if (shown := _shown(sale, now))), EVENTS_SHOWN))
        return tuple(sorted(latest, key=lambda event: (event.title, event.id)))


def _event_of(key: bytes) -> UUID | None:
    """The event of a record's key; None for a key that is no id."""
    try:
        return UUID(key.decode())
    except ValueError:
        return None


def _shown(sale: _Sale, now: float) -> EventShown | None:
    """The event's card; None if it is not on sale, or its row is not known yet."""
    row = sale.row
    if row is None:
        return None
    offer = EventOffer(row.status, row.capacity, row.ends_at, row.offers, sale.stock)
    if (note := _NOTES.get(offer.tickets(int(now * 1_000)))) is None:
        return None
    types = tuple(_type(each, sale.stock, left) for each, left in zip(row.offers, offer.left, strict=True))
    return EventShown(row.id, row.title, note, sale.sales, types)


def _type(offer: TicketOffer, stock: StockSnapshots, left: int) -> TypeShown:
    out = stock.get(offer.id, NONE_OUT)
    return TypeShown(offer.id, offer.name, offer.quantity, out.held, out.sold, left)
