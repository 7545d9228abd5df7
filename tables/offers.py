"""The columns ``offers`` and ``stock`` of an event's row in PostgreSQL: its ticket types, and how many of each are out.

``stock`` is a projection of outcomes: for each ticket type the newest snapshot counts, whatever their order. What of it
can be bought, tables/ledger/availability.py decides, as for the ledger's own view.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tables.errors import MalformedRecord
from tables.ledger.availability import Room, availability, available
from tables.ledger.inventory import TicketStock
from tables.messages.availability import Tickets
from tables.messages.commands import EVENT_MAX_TICKET_TYPES, TicketTypeDefinition, check_price, end_of_sale
from tables.messages.commands import TicketCount as Quantity
from tables.messages.encoding import DATETIME_MAX_MS, DATETIME_MIN_MS, decode_json, from_milliseconds
from tables.messages.outcomes import Balance
from tables.messages.statuses import EventStatus

Milliseconds = Annotated[int, Meta(ge=DATETIME_MIN_MS, le=DATETIME_MAX_MS)]


class TicketOffer(Struct, frozen=True, omit_defaults=True):
    """A ticket type of the column ``offers``."""

    id: UUID
    name: str
    price: Decimal
    currency: str
    quantity: Quantity
    sale_starts_ms: Milliseconds | None = None
    sale_ends_ms: Milliseconds | None = None

    def __post_init__(self) -> None:
        check_price(self.price)


class StockSnapshot(Struct, frozen=True, array_like=True):
    """The tickets of one type that are out, as of an offset of ``ticket-commands``."""

    as_of: Annotated[int, Meta(ge=-1, le=2**62)]
    held: Annotated[int, Meta(ge=0, le=2**53)]
    sold: Annotated[int, Meta(ge=0, le=2**53)]


StockSnapshots = dict[UUID, StockSnapshot]


Column = TypeVar("Column")
NONE_OUT: Final = StockSnapshot(-1, 0, 0)
# The time to find out what is on sale when grows with the square of the number of types.
_offers: Final = msgspec.json.Decoder(Annotated[list[TicketOffer], Meta(max_length=EVENT_MAX_TICKET_TYPES)])
_stock: Final = msgspec.json.Decoder(StockSnapshots)


def decode_offers(text: str) -> list[TicketOffer]:
    """Decode the column ``offers``. Raises MalformedRecord, which names the invalid field."""
    return _read_column(_offers, "offers", text)


def decode_stock(text: str) -> StockSnapshots:
    """Decode the column ``stock``. Raises MalformedRecord, which names the invalid field."""
    return _read_column(_stock, "stock", text)


def encode_stock(stock: StockSnapshots) -> str:
    """Encode the column ``stock``."""
    return msgspec.json.encode(stock).decode()


def snapshot_of(balance: Balance, as_of: int) -> StockSnapshot:
    """The snapshot that an outcome's balance gives."""
    return StockSnapshot(as_of, balance.held, balance.sold)


def merge_newest(stock: StockSnapshots, other: StockSnapshots) -> StockSnapshots:
    """``stock`` with the newer snapshots of ``other``."""
    newer = {key: each for key, each in other.items() if each.as_of > stock.get(key, NONE_OUT).as_of}
    return stock | newer


def cheapest(offers: list[TicketOffer]) -> TicketOffer | None:
    """The cheapest ticket type among those in the currency of the first one; None if there are no types."""
    return min((each for each in offers if each.currency == offers[0].currency), key=lambda it: it.price, default=None)


class SalePeriod(NamedTuple):
    """What is true of an event's tickets from one time to another (ms); None without a beginning or an end."""

    tickets: Tickets
    begins_ms: int | None
    ends_ms: int | None


class EventOffer:
    """What an event offers: its status, its capacity, and the stock of each ticket type, as its row has them."""

    def __init__(
        self,
        status: str,
        capacity: int | None,
        ends_at: datetime | None,
        offers: Iterable[TicketOffer],
        out: StockSnapshots,
    ) -> None:
        held, sold = sum(each.held for each in out.values()), sum(each.sold for each in out.values())
        self._status = status
        self._room = Room.within(capacity, held + sold, held)
        self._stocks = [_stock_of(each, ends_at, out.get(each.id, NONE_OUT)) for each in offers]

    @property
    def left(self) -> list[int]:
        """By ticket type, the tickets that its quantity and the event's capacity leave; never negative."""
        return [available(stock, self._room) for stock in self._stocks]

    def tickets(self, at_ms: int) -> Tickets:
        """Whether the event has tickets on sale then, as long as none is sold or given back."""
        if self._status == EventStatus.SOLD_OUT:
            return Tickets.SOLD_OUT
        if self._status != EventStatus.ACTIVE or not self._stocks:
            return Tickets.NOT_ON_SALE
        words = {availability(EventStatus.ACTIVE, stock, at_ms, self._room).value for stock in self._stocks}
        return next(word for word in Tickets if word.value in words)

    def periods(self) -> Iterator[SalePeriod]:
        """What is true when, in order and without gaps."""
        bounds = [bound for stock in self._stocks for bound in (stock.sale_starts, stock.sale_ends)]
        begins, edges = None, sorted({bound for bound in bounds if bound is not None})
        now = self.tickets(edges[0] - 1 if edges else 0)
        for edge in edges:
            if (then := self.tickets(edge)) is not now:
                yield SalePeriod(now, begins, edge)
                begins, now = edge, then
        yield SalePeriod(now, begins, None)


def _stock_of(offer: TicketOffer, event_ends_at: datetime | None, out: StockSnapshot) -> TicketStock:
    starts_at, ends_at = _time(offer.sale_starts_ms), _time(offer.sale_ends_ms)
    definition = TicketTypeDefinition(
        id=offer.id,
        name=offer.name,
        price=offer.price,
        currency=offer.currency,
        quantity=offer.quantity,
        sale_starts_at=starts_at,
        sale_ends_at=ends_at if event_ends_at is None else end_of_sale(ends_at, event_ends_at),
    )
    return TicketStock(definition, out.held, out.sold)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)


def _read_column(decoder: msgspec.json.Decoder[Column], name: str, text: str) -> Column:
    try:
        return decode_json(decoder, text.encode(), MalformedRecord)
    except MalformedRecord as error:
        raise MalformedRecord(f"{error} in column {name}") from error
