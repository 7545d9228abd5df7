"""What the table ``ledger`` keeps: its keys and its records, as msgpack arrays that begin with a log offset.

A key is the event's 16 bytes, one letter for the kind of record, and for purchases and accounts
16 bytes more; so one event's purchases are a prefix scan. (HOLD is the letter of tables/ledger/deadlines.py.)
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason

ACCOUNT = b"a"
EVENT = b"e"
HOLD = b"h"
PURCHASE = b"p"

_NO_PRICE: Final = Decimal(0)


class Bought(Struct, frozen=True, array_like=True):
    """Tickets of one type in a decision. ``first`` is the number of the first of them within the purchase."""

    ticket_type: UUID
    quantity: int
    price: Decimal
    name: str
    first: int


class Decision(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What one command did to a purchase: ``held`` and ``sold`` say what became of each line's quantity (-1, 0, 1).

    On record the lines that are given back have neither name nor price: the first decision tells those. ``exact`` is a
    word that earlier versions can't read, and ``reason`` then the nearest one that they can.
    """

    offset: int
    at: int
    kind: OutcomeKind
    held: int = 0
    sold: int = 0
    lines: tuple[Bought, ...] = ()
    reason: Reason | None = None
    figures: dict[str, Any] = {}
    deadline: int | None = None
    request: UUID | None = None
    exact: Reason | None = None

    @property
    def why(self) -> Reason | None:
        """The reason in its own word."""
        return self.exact or self.reason


class PurchaseRecord(Struct, frozen=True, array_like=True):
    """A purchase and its short history, so that each command's outcome can be given again as it was.

    What can happen to a purchase often is kept short, and is bounded (``CHANGES_MAX`` in tables/ledger/decisions.py).
    """

    offset: int
    account: UUID
    fingerprint: str
    currency: str
    history: tuple[Decision, ...]

    def and_then(self, decision: Decision) -> "PurchaseRecord":
        """The purchase with one decision more."""
        return replace(self, offset=decision.offset, history=(*self.history, brief(decision)))

    def lines_of(self, decision: Decision) -> tuple[Bought, ...]:
        """The lines of a decision on this purchase, with names and prices."""
        if not _is_brief(decision):
            return decision.lines
        first = {line.ticket_type: line for line in self.history[0].lines}
        return tuple(
            [replace(first[line.ticket_type], quantity=line.quantity, first=line.first) for line in decision.lines]
        )

    def before(self, offset: int) -> "PurchaseRecord | None":
        """The purchase as the command at ``offset`` finds it; None if that is the one that makes it."""
        if self.offset < offset:
            return self
        history = tuple(decision for decision in self.history if decision.offset < offset)
        return replace(self, offset=history[-1].offset, history=history) if history else None

    def decided_at(self, offset: int) -> Decision | None:
        """The decision that the command at ``offset`` got, if it was recorded."""
        for decision in reversed(self.history):
            if decision.offset == offset:
                return decision
        return None


def brief(decision: Decision) -> Decision:
    """A decision as it is kept. A confirmation keeps names and prices, which earlier versions read there."""
    if not _gives_back(decision) or _is_brief(decision):
        return decision
    lines = [Bought(line.ticket_type, line.quantity, _NO_PRICE, "", line.first) for line in decision.lines]
    return replace(decision, lines=tuple(lines))


def _is_brief(decision: Decision) -> bool:
    """Whether names and prices were left out. Free tickets without a name are the same either way."""
    return _gives_back(decision) and all(not line.name and not line.price for line in decision.lines)


def _gives_back(decision: Decision) -> bool:
    """Whether fewer tickets are out after it. Told by numbers: a kind takes four times as long to look up in a set."""
    return decision.held + decision.sold < 0


class Stock(Struct, array_like=True):
    """Tickets of one type that are out."""

    ticket_type: UUID
    held: int
    sold: int


class Ending(Struct, frozen=True, array_like=True):
    """How far the purchases of a cancelled event have been ended: up to ``after``, or all of them."""

    after: UUID | None = None
    done: bool = False


class EventRecord(Struct, array_like=True):
    """An event: the definition as it came (JSON bytes) and what of each type is out. Small, whatever it sells."""

    offset: int
    version: int
    definition: bytes
    stock: list[Stock]
    ending: Ending | None = None


class Holding(Struct, frozen=True, array_like=True):
    """The tickets that an account holds of one event, and when (ms) it last let go of which types.

    ``held`` counts the holds made at the offset ``since`` or later: before that they were not counted.
    """

    held: int
    since: int
    let_go: list[tuple[UUID, int]]


NOTHING_HELD: Final = Holding(0, 0, [])


class AccountRecord(Struct, array_like=True):
    """How many tickets of each type an account has held or bought of one event; ``holding`` if it ever held any."""

    offset: int
    counts: list[tuple[UUID, int]]
    holding: Holding | None = None


class _Head(Struct, array_like=True):
    offset: int


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
encode_record = _encoder.encode
_decode_purchase = msgspec.msgpack.Decoder(PurchaseRecord).decode
decode_event = msgspec.msgpack.Decoder(EventRecord).decode
decode_account = msgspec.msgpack.Decoder(AccountRecord).decode
_decode_head = msgspec.msgpack.Decoder(_Head).decode


def decode_purchase(value: bytes) -> PurchaseRecord:
    """The purchase in a record's value, whichever version wrote it."""
    record = _decode_purchase(value)
    if len(record.history) == 1:
        return record
    return replace(record, history=tuple([brief(decision) for decision in record.history]))


_DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    ACCOUNT: decode_account,
    EVENT: decode_event,
    PURCHASE: decode_purchase,
}


def record_offset(value: bytes) -> int:
    """The log offset of the command that last changed a record of any kind."""
    return _decode_head(value).offset


def same_record(key: bytes, one: bytes, other: bytes) -> bool:
    """Whether two records of ``key`` tell the same, whichever versions wrote them."""
    decode = _DECODERS.get(key[16:17])
    if one == other or decode is None:
        return one == other
    try:
        return bool(decode(one) == decode(other))
    except msgspec.DecodeError:
        return False


def event_key(event: UUID) -> bytes:
    """Key of an event's record."""
    return event.bytes + EVENT


def purchase_prefix(event: UUID) -> bytes:
    """What the keys of all purchases of an event begin with."""
    return event.bytes + PURCHASE


def purchase_key(event: UUID, purchase: UUID) -> bytes:
    """Key of a purchase's record."""
    return event.bytes + PURCHASE + purchase.bytes


def account_key(event: UUID, account: UUID) -> bytes:
    """Key of an account's count within one event."""
    return event.bytes + ACCOUNT + account.bytes
