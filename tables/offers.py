"""What an event offers, as its row in PostgreSQL tells it: its ticket types, and how many of each are out.

``stock`` is the ledger's news of each ticket type; only newer ones count, whatever order they come in.
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


class Offer(Struct, frozen=True):
    """A ticket type as it is offered."""

    id: UUID
    name: str
    price: Decimal
    currency: str
    quantity: Quantity

    def __post_init__(self) -> None:
        check_price(self.price)


class Taken(Struct, frozen=True, array_like=True):
    """Tickets of one type that are out, as of a position in the event's log of commands."""

    as_of: Annotated[int, Meta(ge=-1, le=2**62)]
    held: Annotated[int, Meta(ge=0, le=2**53)]
    sold: Annotated[int, Meta(ge=0, le=2**53)]


Stock = dict[UUID, Taken]


class Tickets(StrEnum):
    """Whether tickets can be had, in one word."""

    AVAILABLE = "available"
    LOW = "low"
    SOLD_OUT = "sold_out"
    NOT_ON_SALE = "not_on_sale"


Column = TypeVar("Column")
NONE_OUT: Final = Taken(-1, 0, 0)
_offers: Final = msgspec.json.Decoder(list[Offer])
_stock: Final = msgspec.json.Decoder(Stock)


def decode_offers(text: str) -> list[Offer]:
    """The column ``offers``. Raises MalformedRecord naming the wrong field."""
    return _read_column(_offers, "offers", text)


def decode_stock(text: str) -> Stock:
    """The column ``stock``. Raises MalformedRecord naming the wrong field."""
    return _read_column(_stock, "stock", text)


def encode_stock(stock: Stock) -> str:
    """The column ``stock``."""
    return msgspec.json.encode(stock).decode()


def taken(balance: Balance, as_of: int) -> Taken:
    """The news that an outcome's balance is."""
    return Taken(as_of, balance.held, balance.sold)


def newest(stock: Stock, news: Stock) -> Stock:
    """``stock`` with what is newer in ``news``."""
    newer = {key: each for key, each in news.items() if each.as_of > stock.get(key, NONE_OUT).as_of}
    return stock | newer


def left(offer: Offer, stock: Stock) -> int:
    """Tickets of the type that can still be had; never negative."""
    out = stock.get(offer.id, NONE_OUT)
    return max(0, offer.quantity - out.held - out.sold)


def cheapest(offers: list[Offer]) -> Offer | None:
    """What the event's price begins at, in the currency of its first ticket type."""
    return min((each for each in offers if each.currency == offers[0].currency), key=lambda it: it.price, default=None)


def tickets(status: str, offers: list[Offer], stock: Stock) -> Tickets:
    """Whether the event has tickets; ``low`` once a tenth or less is left."""
    if status == EventStatus.SOLD_OUT:
        return Tickets.SOLD_OUT
    if status != EventStatus.ACTIVE or not offers:
        return Tickets.NOT_ON_SALE
    still = sum(left(each, stock) for each in offers)
    if not still:
        return Tickets.SOLD_OUT
    return Tickets.LOW if still <= LOW_MAX_SHARE * sum(each.quantity for each in offers) else Tickets.AVAILABLE


def _read_column(decoder: msgspec.json.Decoder[Column], name: str, text: str) -> Column:
    try:
        return decode_json(decoder, text.encode(), MalformedRecord)
    except MalformedRecord as error:
        raise MalformedRecord(f"{error} in column {name}") from error
