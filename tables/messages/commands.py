"""The commands of the log ``ticket-commands``: all that can change an event's stock.

The value is one JSON object whose ``kind`` tells which. Unknown fields are ignored, so that
newer producers may send more; an unknown kind or a wrong field raises MalformedCommand.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tables.errors import MalformedCommand
from tables.messages.decoding import read
from tables.messages.statuses import EventStatus

Quantity = Annotated[int, Meta(ge=1, le=1_000)]
Stock = Annotated[int, Meta(ge=0, le=10_000_000)]
Limit = Annotated[int, Meta(ge=1, le=10_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]
# PostgreSQL, where sales are shown, takes every text but one with NUL in it.
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]

MOST_BYTES: Final = 256 * 1024
DECIMALS: Final = 4
HOLD_MAX_S: Final = 86_400
COOLDOWN_MAX_S: Final = 3_600


def check_price(price: Decimal) -> None:
    """Raise ValueError for what is no price of a ticket: NaN, infinite, negative, too large or too fine."""
    if not (price.is_finite() and Decimal(0) <= price < Decimal(10) ** 10):
        raise ValueError("price must be a finite amount of 0 or more")
    if int(price.as_tuple().exponent) < -DECIMALS:
        raise ValueError(f"price must have at most {DECIMALS} decimals")


class Line(Struct, frozen=True, rename="camel"):
    """So many tickets of one type."""

    ticket_type: UUID
    quantity: Quantity


class TicketType(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the ledger knows of a ticket type. ``price`` is exact, in ``currency`` (ISO 4217)."""

    id: UUID
    name: Text
    price: Decimal
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    quantity: Stock
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None

    def __post_init__(self) -> None:
        check_price(self.price)


class Definition(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An event as it is to be sold: the facts that a mail needs, the limits, the ticket types."""

    title: Text
    status: EventStatus
    starts_at: Moment
    ends_at: Moment
    time_zone: Annotated[str, Meta(max_length=64)]
    venue: Text = ""
    city: Text = ""
    organizer: UUID | None = None
    capacity: Stock | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    ticket_types: Annotated[list[TicketType], Meta(max_length=200)] = []

    def __post_init__(self) -> None:
        if len({kind.id for kind in self.ticket_types}) < len(self.ticket_types):
            raise ValueError("ticketTypes must not name a ticket type twice")


class DefineEvent(Struct, frozen=True, tag_field="kind", tag="define-event", rename="camel"):
    """The whole of an event at ``version``; an older version than the known one changes nothing."""

    event: UUID
    version: Annotated[int, Meta(ge=1, le=2**62)]
    definition: Definition


class Purchase(Struct, frozen=True, tag_field="kind", tag="purchase", rename="camel"):
    """Buy all lines or nothing. ``purchase`` is the buyer's own id: sent twice, it is decided once."""

    event: UUID
    purchase: UUID
    account: UUID
    lines: Annotated[list[Line], Meta(min_length=1, max_length=50)]


class Hold(Struct, frozen=True, tag_field="kind", tag="hold", rename="camel", omit_defaults=True):
    """Keep all lines for the buyer until ``seconds`` after the command's own timestamp, or nothing.

    ``by_default`` says that the operator's setting chose ``seconds``, not the buyer: they are then no part of the
    body, so that a repeat after the setting was changed is still the same hold.
    """

    event: UUID
    purchase: UUID
    account: UUID
    lines: Annotated[list[Line], Meta(min_length=1, max_length=50)]
    seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] = 600
    by_default: bool = False


class Confirm(Struct, frozen=True, tag_field="kind", tag="confirm", rename="camel"):
    """Turn a hold into a sale. ``request`` is told back in the outcome, so that who asked knows the answer."""

    event: UUID
    purchase: UUID
    account: UUID
    request: UUID | None = None


class Cancel(Struct, frozen=True, tag_field="kind", tag="cancel", rename="camel"):
    """Give back a hold or a sale, whole, or only ``lines``.

    ``request`` tells a partial one from its repeat and is told back in the outcome.
    """

    event: UUID
    purchase: UUID
    account: UUID
    request: UUID | None = None
    lines: Annotated[list[Line], Meta(max_length=50)] = []

    @property
    def is_repeatable(self) -> bool:
        """Whether it gives back once however often it is sent: a whole one by the state, a part by its ``request``."""
        return self.request is not None or not self.lines


class Expire(Struct, frozen=True, tag_field="kind", tag="expire", rename="camel", omit_defaults=True):
    """A hold's deadline has passed, or, ``early``, the operator ends it. Does nothing to what is no longer held."""

    event: UUID
    purchase: UUID
    early: bool = False


class LimitHolds(Struct, frozen=True, tag_field="kind", tag="limit-holds", rename="camel", omit_defaults=True):
    """What every hold of the partition that it lies in is limited to from here on; a limit that it lacks is none.

    The only command that is of no event.
    """

    max_seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] | None = None
    max_tickets: Limit | None = None
    cooldown_seconds: Annotated[int, Meta(ge=1, le=COOLDOWN_MAX_S)] | None = None


class EndPurchases(Struct, frozen=True, tag_field="kind", tag="end-purchases", rename="camel"):
    """A step in ending what a cancelled event has out: the next ``most`` purchases after ``after``, by their ids.

    The ledger itself writes it, and the step that follows it. It does nothing unless ``version`` is the event's.
    """

    event: UUID
    version: Annotated[int, Meta(ge=1, le=2**62)]
    after: UUID | None = None
    most: Annotated[int, Meta(ge=1, le=1_000)] = 500


EventCommand = DefineEvent | Purchase | Hold | Confirm | Cancel | Expire | EndPurchases
Command = EventCommand | LimitHolds
BuyerCommand = Purchase | Hold | Confirm | Cancel | Expire

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_encoder = msgspec.json.Encoder()


def decode_command(value: bytes | None) -> Command:
    """The command in a record's value. Raises MalformedCommand, which names the wrong field."""
    if value is not None and len(value) > MOST_BYTES:
        raise MalformedCommand(f"the record has {len(value)} bytes, which is more than {MOST_BYTES}")
    return read(_decoder, value, MalformedCommand)


def encode_command(command: Command) -> bytes:
    """The record value of a command; decode_command reads it back unchanged."""
    return _encoder.encode(command)
