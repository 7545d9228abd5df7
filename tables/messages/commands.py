"""The commands on ``ticket-commands``, the only way to change an event's stock.

The value is a JSON object; its ``kind`` names the command. Unknown fields are ignored, so newer producers may add
some. An unknown kind or an invalid field raises MalformedCommand. The fingerprint of a request's body is equal for
equivalent bodies, and different for all others.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from tables.errors import MalformedCommand
from tables.messages.encoding import decode_json, encode_json
from tables.messages.field_types import AMOUNT_MAX_DECIMALS, PRICE_END, Price, Text
from tables.messages.payment_modes import PaymentMode
from tables.messages.sections import ORDER_MAX_SEATS, BestAvailable, DefineSection, PlanNumber, SeatName
from tables.messages.statuses import EventStatus

Quantity = Annotated[int, Meta(ge=1, le=1_000)]
TicketCount = Annotated[int, Meta(ge=0, le=10_000_000)]
Limit = Annotated[int, Meta(ge=1, le=10_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]
# What a provider or a partner calls a payment.
PaymentReference = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*\Z")]

COMMAND_MAX_BYTES: Final = 256 * 1024
# Of a partial cancel that is not repeatable.
REQUEST_REQUIRED: Final = "Object missing required field `request`, which a cancel of `lines` must have"
EVENT_MAX_TICKET_TYPES: Final = 200
HOLD_MAX_S: Final = 86_400
PAYMENT_DEFAULT_S: Final = 900
COOLDOWN_MAX_S: Final = 3_600
EXTENSION_MAX_S: Final = 900


def check_price(price: Decimal) -> None:
    """Raise ValueError unless the price is finite, not negative, below 10^10 and has at most 4 decimals."""
    if not (price.is_finite() and 0 <= price < PRICE_END):
        raise ValueError("price must be a finite amount of 0 or more")
    if int(price.as_tuple().exponent) < -AMOUNT_MAX_DECIMALS:
        raise ValueError(f"price must have at most {AMOUNT_MAX_DECIMALS} decimals")


class TicketLine(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A number of tickets of one type; of a type that is seated, ``seats`` by name or the ``best`` available."""

    ticket_type: UUID
    quantity: Quantity
    seats: Annotated[tuple[SeatName, ...], Meta(max_length=ORDER_MAX_SEATS)] = ()
    best: BestAvailable | None = None


class TicketTypeDefinition(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A ticket type as the ledger sells it. ``price`` is exact, in ``currency`` (ISO 4217)."""

    id: UUID
    name: Text
    price: Price
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    quantity: TicketCount
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None

    def __post_init__(self) -> None:
        check_price(self.price)


class EventDefinition(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An event as the ledger sells it: the facts that mails show, the limits, the ticket types.

    ``plan`` is the number of the hall's plan whose seats are sold (docs/seats.md).
    """

    title: Text
    status: EventStatus
    starts_at: Moment
    ends_at: Moment
    time_zone: Annotated[str, Meta(max_length=64)]
    venue: Text = ""
    city: Text = ""
    organizer: UUID | None = None
    capacity: TicketCount | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    payment: PaymentMode = PaymentMode.NONE
    plan: PlanNumber | None = None
    ticket_types: Annotated[
        list[TicketTypeDefinition], Meta(max_length=EVENT_MAX_TICKET_TYPES, description="no ticket type twice")
    ] = []

    def __post_init__(self) -> None:
        if len({ticket_type.id for ticket_type in self.ticket_types}) < len(self.ticket_types):
            raise ValueError("ticketTypes must not name a ticket type twice")


def end_of_sale(sale_ends_at: datetime | None, event_ends_at: datetime) -> datetime:
    """When the sale of a ticket type ends: with its event at the latest."""
    return event_ends_at if sale_ends_at is None else min(sale_ends_at, event_ends_at)


class EventAnnouncement(Struct, frozen=True, rename="camel"):
    """The complete definition of an event at ``version``, as the outbox announces it."""

    event: UUID
    version: Annotated[int, Meta(ge=1, le=2**62)]
    definition: EventDefinition


class DefineEvent(EventAnnouncement, frozen=True, tag_field="kind", tag="define-event", rename="camel"):
    """The complete definition of an event at ``version``. A version that is not newer changes nothing."""


class Buy(Struct, frozen=True, tag_field="kind", tag="purchase", rename="camel"):
    """Buy all lines or nothing. ``purchase`` is the client's idempotency id: the ledger decides it once.

    What must be paid (docs/payments.md) is held instead, until it is confirmed with a payment.
    """

    event: UUID
    purchase: UUID
    account: UUID
    lines: Annotated[list[TicketLine], Meta(min_length=1, max_length=50)]


class Hold(Struct, frozen=True, tag_field="kind", tag="hold", rename="camel", omit_defaults=True):
    """Hold all lines or nothing, until ``seconds`` after the command's timestamp.

    ``by_default`` says that the operator's setting chose ``seconds``. They are then no part of the body, so a repeat
    after the setting has changed is still the same hold.
    """

    event: UUID
    purchase: UUID
    account: UUID
    lines: Annotated[list[TicketLine], Meta(min_length=1, max_length=50)]
    seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] = 600
    by_default: bool = False


class Confirm(Struct, frozen=True, tag_field="kind", tag="confirm", rename="camel", omit_defaults=True):
    """Turn a hold into a sale. The outcome repeats ``request``, so that the requester recognizes it.

    ``payment`` is the reference of the payment; a hold that must be paid is refused without one.
    """

    event: UUID
    purchase: UUID
    account: UUID
    request: UUID | None = None
    payment: PaymentReference | None = None


class Cancel(Struct, frozen=True, tag_field="kind", tag="cancel", rename="camel", omit_defaults=True):
    """Give back a hold or a sale: all of it, or only ``lines`` and ``seats``.

    ``request`` distinguishes a partial cancel from its repeat. The outcome repeats it.
    """

    event: UUID
    purchase: UUID
    account: UUID
    request: UUID | None = None
    lines: Annotated[list[TicketLine], Meta(max_length=50)] = []
    seats: Annotated[tuple[SeatName, ...], Meta(max_length=ORDER_MAX_SEATS)] = ()

    @property
    def is_repeatable(self) -> bool:
        """Whether it is idempotent: a full cancel by the purchase's state, a partial one by its ``request``."""
        return self.request is not None or not (self.lines or self.seats)


class Exchange(Struct, frozen=True, tag_field="kind", tag="exchange", rename="camel"):
    """Give back the seats ``give`` of a purchase and get ``take`` instead, as many of each category, or nothing.

    Its outcome is of the kind ``held`` or ``confirmed`` and lists all tickets that the purchase then has.
    """

    event: UUID
    purchase: UUID
    account: UUID
    request: UUID
    give: Annotated[tuple[SeatName, ...], Meta(min_length=1, max_length=ORDER_MAX_SEATS)]
    take: Annotated[tuple[SeatName, ...], Meta(min_length=1, max_length=ORDER_MAX_SEATS)]


class Expire(Struct, frozen=True, tag_field="kind", tag="expire", rename="camel", omit_defaults=True):
    """End a hold whose deadline has passed; ``early``: the operator ends it. Refused if it is no longer held."""

    event: UUID
    purchase: UUID
    early: bool = False


class ExtendHold(Struct, frozen=True, tag_field="kind", tag="extend-hold", rename="camel"):
    """Lengthen a hold once, by ``seconds`` beyond its deadline. The role ``payments`` writes it."""

    event: UUID
    purchase: UUID
    seconds: Annotated[int, Meta(ge=1, le=EXTENSION_MAX_S)]


class LimitHolds(Struct, frozen=True, tag_field="kind", tag="limit-holds", rename="camel", omit_defaults=True):
    """Set the limits for the following holds of this partition; None means no limit.

    ``payment_seconds`` is how long a purchase that must be paid is held; None means PAYMENT_DEFAULT_S. The only command
    without an event.
    """

    max_seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] | None = None
    max_tickets: Limit | None = None
    cooldown_seconds: Annotated[int, Meta(ge=1, le=COOLDOWN_MAX_S)] | None = None
    payment_seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] | None = None


class EndPurchases(Struct, frozen=True, tag_field="kind", tag="end-purchases", rename="camel"):
    """End the next ``most`` purchases of a cancelled event whose ids come after ``after``.

    The ledger writes the first step and each following one itself. A step does nothing unless ``version`` is the
    event's.
    """

    event: UUID
    version: Annotated[int, Meta(ge=1, le=2**62)]
    after: UUID | None = None
    most: Annotated[int, Meta(ge=1, le=1_000)] = 500


BuyerCommand = Buy | Hold | Confirm | Cancel | Exchange | Expire | ExtendHold
EventCommand = DefineSection | DefineEvent | BuyerCommand | EndPurchases
Command = EventCommand | LimitHolds

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def decode_command(value: bytes | None) -> Command:
    """Decode a record's value. Raises MalformedCommand, which names the invalid field."""
    return decode_json(_decoder, value, MalformedCommand, COMMAND_MAX_BYTES)


def encode_command(command: Command) -> bytes:
    """Encode a command as a record's value; decode_command reads it back unchanged."""
    return encode_json(command)


def merge(lines: Sequence[TicketLine]) -> dict[UUID, int]:
    """Quantities by ticket type, in the order of the first mention."""
    wanted: dict[UUID, int] = {}
    for line in lines:
        wanted[line.ticket_type] = wanted.get(line.ticket_type, 0) + line.quantity
    return wanted


def quantities(lines: Sequence[TicketLine]) -> Collection[tuple[UUID, int]]:
    """The same as pairs. Nearly all purchases have one line, whose id need not be hashed for that (in Python)."""
    return merge(lines).items() if len(lines) > 1 else [(line.ticket_type, line.quantity) for line in lines]


def asks_for_seats(lines: Sequence[TicketLine]) -> bool:
    """Whether a line names seats or asks for the best ones."""
    return bool([line for line in lines if line.seats or line.best is not None])


def _seats_asked_for(line: TicketLine) -> bytes:
    wanted = line.seats or line.best is not None
    return encode_json((line.ticket_type, sorted(line.seats), line.best)) if wanted else b""


def fingerprint(account: UUID, lines: Sequence[TicketLine], kind: str) -> str:
    """24 hex digits over kind, account and lines; neither the order of lines and seats nor split quantities matter."""
    if len(lines) == 1:
        line = lines[0]
        content = _line_bytes(line.ticket_type, line.quantity) + _seats_asked_for(line)
    else:
        content = b"".join(sorted([_line_bytes(*each) for each in merge(lines).items()]))
        content += b"".join(sorted([_seats_asked_for(line) for line in lines]))
    return blake2b(account.bytes + content + kind.encode(), digest_size=12).hexdigest()


def buyer_fingerprint(command: Buy | Hold) -> str:
    """The fingerprint of a request's body: the same purchase id with another body is refused."""
    if not isinstance(command, Hold):
        return fingerprint(command.account, command.lines, "purchase")
    return fingerprint(command.account, command.lines, "hold" if command.by_default else f"hold {command.seconds}")


def recorded_fingerprints(command: Buy | Hold) -> tuple[str, ...]:
    """The fingerprints that a purchase with the same body may have on record.

    Versions without ``by_default`` recorded the operator's seconds as if the buyer had chosen them.
    """
    if isinstance(command, Hold) and command.by_default:
        return buyer_fingerprint(command), buyer_fingerprint(replace(command, by_default=False))
    return (buyer_fingerprint(command),)


def _line_bytes(ticket_type: UUID, quantity: int) -> bytes:
    return ticket_type.bytes + quantity.to_bytes(8, "big")
