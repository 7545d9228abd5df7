"""The columns ``offers`` and ``stock`` of an event's row in PostgreSQL: its ticket types, and how many of each are out.

``stock`` is a projection of outcomes: for each ticket type the newest snapshot counts, whatever their order.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tables.errors import MalformedRecord
from tables.ledger.availability import LOW_MAX_SHARE
from tables.messages.commands import TicketCount as Quantity
from tables.messages.commands import check_price
from tables.messages.decoding import decode_json
from tables.messages.outcomes import Balance
from tables.messages.statuses import EventStatus


class TicketOffer(Struct, frozen=True):
    """A ticket type of the column ``offers``."""

    id: UUID
    name: str
    price: Decimal
    currency: str
    quantity: Quantity

    def __post_init__(self) -> None:
        check_price(self.price)


class StockSnapshot(Struct, frozen=True, array_like=True):
    """The tickets of one type that are out, as of an offset of ``ticket-commands``."""

    as_of: Annotated[int, Meta(ge=-1, le=2**62)]
    held: Annotated[int, Meta(ge=0, le=2**53)]
    sold: Annotated[int, Meta(ge=0, le=2**53)]


StockSnapshots = dict[UUID, StockSnapshot]


class Tickets(StrEnum):
    """Whether an event has tickets on sale."""

    AVAILABLE = "available"
    LOW = "low"
    SOLD_OUT = "sold_out"
    NOT_ON_SALE = "not_on_sale"


Column = TypeVar("Column")
NONE_OUT: Final = StockSnapshot(-1, 0, 0)
_offers: Final = msgspec.json.Decoder(list[TicketOffer])
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


def tickets_left(offer: TicketOffer, stock: StockSnapshots) -> int:
    """Tickets of the type that can still be sold; never negative."""
    out = stock.get(offer.id, NONE_OUT)
    return max(0, offer.quantity - out.held - out.sold)


def cheapest(offers: list[TicketOffer]) -> TicketOffer | None:
    """The cheapest ticket type among those in the currency of the first one; None if there are no types."""
    return min((each for each in offers if each.currency == offers[0].currency), key=lambda it: it.price, default=None)


def event_availability(status: str, offers: list[TicketOffer], stock: StockSnapshots) -> Tickets:
    """Whether the event has tickets on sale; ``low`` if a tenth or less is left."""
    if status == EventStatus.SOLD_OUT:
        return Tickets.SOLD_OUT
    if status != EventStatus.ACTIVE or not offers:
        return Tickets.NOT_ON_SALE
    available = sum(tickets_left(each, stock) for each in offers)
    if not available:
        return Tickets.SOLD_OUT
    return Tickets.LOW if available <= LOW_MAX_SHARE * sum(each.quantity for each in offers) else Tickets.AVAILABLE


def _read_column(decoder: msgspec.json.Decoder[Column], name: str, text: str) -> Column:
    try:
        return decode_json(decoder, text.encode(), MalformedRecord)
    except MalformedRecord as error:
        raise MalformedRecord(f"{error} in column {name}") from error
