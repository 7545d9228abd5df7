"""The outcomes on ``ticket-purchase``: what the ledger decided, complete enough to act on without asking.

An outcome may come more than once; ``event``, ``purchase`` and ``offset`` identify it, and
what it says of the purchase is then the same. Its ``balance`` is as of ``asOf``.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.decoding import read
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus


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


PRICE_END: Final = Decimal(10) ** 10
QUANTITY_MAX: Final = 10_000_000
POSITION_MAX: Final = 2**62
# A reminder's time is kept as milliseconds since 1970, some minutes before the deadline.
FIRST_YEAR: Final = 1971
# More than the title, status, zone, venue and city of an event ever have.
FACTS_MAX_CHARS: Final = 2_000

_decoder = msgspec.json.Decoder(Outcome)
_encoder = msgspec.json.Encoder()


def decode_outcome(value: bytes | None) -> Outcome:
    """The outcome in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def decode_checked_outcome(value: bytes | None) -> Outcome:
    """The outcome in a record's value, for those who reckon with its figures and times. Raises MalformedRecord.

    Anybody may have written it: no price is NaN or too large to add up, no stock negative or beyond all ticket types,
    no time outside of what UTC can tell.
    """
    outcome = decode_outcome(value)
    for line in (*outcome.lines, *outcome.left):
        _check_line(line)
    for balance in outcome.balance:
        _check_balance(balance)
    if not -1 <= outcome.as_of <= POSITION_MAX:
        raise MalformedRecord("no position that a log has - at `$.asOf`")
    _check_time(outcome.at, "at", FIRST_YEAR)
    if outcome.deadline is not None:
        _check_time(outcome.deadline, "deadline", FIRST_YEAR)
    if outcome.facts is not None:
        _check_facts(outcome.facts)
    return outcome


def encode_outcome(outcome: Outcome) -> bytes:
    """The record value of an outcome."""
    return _encoder.encode(outcome)


def _check_line(line: OutcomeLine) -> None:
    try:
        good = 0 <= line.price < PRICE_END and 0 <= line.quantity <= QUANTITY_MAX
    except ArithmeticError:  # NaN is neither more nor less
        good = False
    if not good:
        raise MalformedRecord("a line has a price or quantity that no ticket has - at `$.lines`")


def _check_balance(balance: Balance) -> None:
    if not all(0 <= count <= QUANTITY_MAX for count in (balance.quantity, balance.held, balance.sold)):
        raise MalformedRecord("a ticket type has a stock that none has - at `$.balance`")


def _check_facts(facts: EventFacts) -> None:
    _check_time(facts.starts_at, "facts.startsAt")
    _check_time(facts.ends_at, "facts.endsAt")
    if sum(map(len, (facts.title, facts.status, facts.time_zone, facts.venue, facts.city))) > FACTS_MAX_CHARS:
        raise MalformedRecord(f"the texts have more than {FACTS_MAX_CHARS} characters - at `$.facts`")


def _check_time(time: datetime, field: str, first_year: int = 1) -> None:
    if time.tzinfo is not UTC:
        try:
            good = time.utcoffset() is not None and time.astimezone(UTC).year >= first_year
        except OverflowError:
            good = False
    else:
        good = time.year >= first_year
    if not good:
        raise MalformedRecord(f"no time with an offset that UTC can tell - at `$.{field}`")
