"""The outcomes on ``ticket-purchase``: what the ledger decided, with everything that consumers need.

An outcome may occur more than once. ``event``, ``purchase`` and ``offset`` identify it; what it says about the
purchase is then the same. Its ``balance`` is as of the offset ``asOf``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import PRICE_END, Amount, Time, is_amount
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


class MoneyAmount(Struct, frozen=True):
    """An exact amount in an ISO 4217 currency."""

    amount: Amount
    currency: str


class OutcomeLine(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Tickets of one type: the price of each, their codes once confirmed, and their seats in the same order."""

    ticket_type: UUID
    name: str
    quantity: int
    price: Amount
    codes: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()


class Balance(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A ticket type's stock after the command."""

    ticket_type: UUID
    quantity: int
    held: int
    sold: int

    @property
    def available(self) -> int:
        """Tickets that can still be sold; never negative."""
        return max(0, self.quantity - self.held - self.sold)


class EventFacts(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a mail says about the event, as of the definition of that version."""

    title: str
    status: str
    starts_at: Time
    ends_at: Time
    time_zone: str
    venue: str = ""
    city: str = ""
    version: int = 0


class Outcome(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One decision. ``offset`` is that of the deciding command in its partition of ``ticket-commands``.

    ``status`` is the purchase's status afterwards; ``lines`` are the tickets concerned, worth ``total``; ``left`` the
    ones that remain after a partial cancellation, and ``returned`` the number of sold ones given back until then.
    ``figures`` are the numbers behind a refusal, such as the limit. ``repeated``: the command had been decided before,
    and this is that decision again. ``request`` is the confirm's or cancel's. ``payment``: what a purchase that is paid
    online is worth now; while it is held, what must be paid. ``reference`` is that of the payment with which it was
    confirmed. ``extended``: a hold was lengthened, which answers no purchase.
    """

    kind: OutcomeKind
    event: UUID
    offset: int
    at: Time
    purchase: UUID | None = None
    account: UUID | None = None
    status: PurchaseStatus | None = None
    reason: Reason | None = None
    figures: dict[str, Any] = {}
    lines: tuple[OutcomeLine, ...] = ()
    left: tuple[OutcomeLine, ...] = ()
    returned: int = 0
    total: MoneyAmount | None = None
    deadline: Time | None = None
    fingerprint: str = ""
    facts: EventFacts | None = None
    balance: tuple[Balance, ...] = ()
    as_of: int = -1
    repeated: bool = False
    request: UUID | None = None
    payment: MoneyAmount | None = None
    reference: str | None = None
    extended: bool = False


# After these the purchase has another state, or its first one.
STATE_KINDS: Final = frozenset(OutcomeKind) - {OutcomeKind.REFUSED, OutcomeKind.CHANGED}
QUANTITY_MAX: Final = 10_000_000
TOTAL_END: Final = PRICE_END * QUANTITY_MAX
POSITION_MAX: Final = 2**62
# A reminder's time, minutes before the deadline, is stored as non-negative milliseconds since 1970.
KEPT_TIMES_FIRST_YEAR: Final = 1971
# Upper bound of title, status, zone, venue and city together.
FACTS_MAX_CHARS: Final = 2_000

decode_outcome: Final = json_decoder(Outcome)
encode_outcome: Final[Callable[[Outcome], bytes]] = encode_json


def decode_checked_outcome(value: bytes | None) -> Outcome:
    """Decode a record's value for consumers that calculate with its numbers and times. Raises MalformedRecord.

    Checks what any producer could have written: prices must be finite and small enough to add up, stock within the
    limits of a ticket type, times representable in UTC.
    """
    outcome = decode_outcome(value)
    _check_offset(outcome.offset, "offset", 0)
    for line in (*outcome.lines, *outcome.left):
        check_line(line)
    if not 0 <= outcome.returned <= QUANTITY_MAX:
        raise MalformedRecord("the number of returned tickets is out of range - at `$.returned`")
    for balance in outcome.balance:
        _check_balance(balance)
    if outcome.payment is not None:
        check_money(outcome.payment, "payment")
    _check_offset(outcome.as_of, "asOf", -1)
    check_time(outcome.at, "at", KEPT_TIMES_FIRST_YEAR)
    if outcome.deadline is not None:
        check_time(outcome.deadline, "deadline", KEPT_TIMES_FIRST_YEAR)
    if outcome.facts is not None:
        _check_facts(outcome.facts)
    return outcome


def check_line(line: OutcomeLine) -> None:
    """Raise MalformedRecord for a price or a quantity that nobody can calculate with."""
    if not (is_amount(line.price, PRICE_END) and 0 <= line.quantity <= QUANTITY_MAX):
        raise MalformedRecord("the price or quantity of a line is out of range - at `$.lines`")


def check_money(money: MoneyAmount, field: str) -> None:
    """Raise MalformedRecord for an amount that nobody can calculate with."""
    if not is_amount(money.amount, TOTAL_END):
        raise MalformedRecord(f"the amount is out of range or has too many decimals - at `$.{field}`")


def _check_offset(offset: int, field: str, least: int) -> None:
    if not least <= offset <= POSITION_MAX:
        raise MalformedRecord(f"the offset is out of range - at `$.{field}`")


def _check_balance(balance: Balance) -> None:
    if not all(0 <= count <= QUANTITY_MAX for count in (balance.quantity, balance.held, balance.sold)):
        raise MalformedRecord("the stock of a ticket type is out of range - at `$.balance`")


def _check_facts(facts: EventFacts) -> None:
    check_time(facts.starts_at, "facts.startsAt")
    check_time(facts.ends_at, "facts.endsAt")
    if not 0 <= facts.version <= POSITION_MAX:
        raise MalformedRecord("the version is out of range - at `$.facts.version`")
    if sum(map(len, (facts.title, facts.status, facts.time_zone, facts.venue, facts.city))) > FACTS_MAX_CHARS:
        raise MalformedRecord(f"the texts have more than {FACTS_MAX_CHARS} characters - at `$.facts`")


def check_time(time: datetime, field: str, first_year: int = 1) -> None:
    """Raise MalformedRecord for a time without a UTC offset, or before ``first_year`` or after 9999 in UTC."""
    if time.tzinfo is not UTC:
        try:
            good = time.utcoffset() is not None and time.astimezone(UTC).year >= first_year
        except OverflowError:
            good = False
    else:
        good = time.year >= first_year
    if not good:
        raise MalformedRecord(f"the time has no UTC offset or is out of range - at `$.{field}`")
