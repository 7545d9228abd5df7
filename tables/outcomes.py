"""The outcomes on ``ticket-purchase``: what the ledger decided, complete enough to act on without asking.

An outcome may come more than once; ``event``, ``purchase`` and ``offset`` identify it, and
what it says of the purchase is then the same. Its ``balance`` is as of ``asOf``.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.reading import read
from tables.reasons import Reason
from tables.statuses import PurchaseStatus


class OutcomeKind(StrEnum):
    """What happened. REFUSED and CHANGED leave the purchase as it was."""

    HELD = "held"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    REFUSED = "refused"
    CHANGED = "changed"


class Money(Struct, frozen=True):
    """An exact amount in an ISO 4217 currency."""

    amount: Decimal
    currency: str


class OutcomeLine(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Tickets of one type: what was paid for each, and their codes once confirmed."""

    ticket_type: UUID
    name: str
    quantity: int
    price: Decimal
    codes: tuple[str, ...] = ()


class Balance(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A ticket type's stock after the command."""

    ticket_type: UUID
    quantity: int
    held: int
    sold: int

    @property
    def available(self) -> int:
        """Tickets that can still be had; never negative."""
        return max(0, self.quantity - self.held - self.sold)


class EventFacts(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a mail says of the event, as of the definition of that version."""

    title: str
    status: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    venue: str = ""
    city: str = ""
    version: int = 0


class Outcome(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One decision. ``offset`` is the deciding command's place in its partition of ``ticket-commands``.

    ``status`` is the purchase's after it; ``lines`` are those it speaks of, ``left`` those that a partial
    cancellation leaves, ``total`` the worth of ``lines``. ``repeated`` says that a command sent again only
    got its old answer: the same outcome without it came before. ``request`` is that of the confirm or cancel
    which it answers.
    """

    kind: OutcomeKind
    event: UUID
    offset: int
    at: datetime
    purchase: UUID | None = None
    account: UUID | None = None
    status: PurchaseStatus | None = None
    reason: Reason | None = None
    figures: dict[str, Any] = {}
    lines: tuple[OutcomeLine, ...] = ()
    left: tuple[OutcomeLine, ...] = ()
    total: Money | None = None
    deadline: datetime | None = None
    fingerprint: str = ""
    facts: EventFacts | None = None
    balance: tuple[Balance, ...] = ()
    as_of: int = -1
    repeated: bool = False
    request: UUID | None = None


_decoder = msgspec.json.Decoder(Outcome)
_encoder = msgspec.json.Encoder()


def decode_outcome(value: bytes | None) -> Outcome:
    """The outcome in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def encode_outcome(outcome: Outcome) -> bytes:
    """The record value of an outcome."""
    return _encoder.encode(outcome)
