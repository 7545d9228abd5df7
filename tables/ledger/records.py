"""The keys and records of the table ``ledger``. Records are msgpack arrays that begin with a log offset.

A key is the event's id (16 bytes), a letter for the kind of record, and for purchases and accounts their id; so a
prefix scan finds the purchases of one event. (HOLD_MARK is the letter of tables/ledger/deadlines.py.)
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

ACCOUNT_MARK = b"a"
EVENT_MARK = b"e"
HOLD_MARK = b"h"
PURCHASE_MARK = b"p"

_NO_PRICE: Final = Decimal(0)


class DecisionLine(Struct, frozen=True, array_like=True):
    """Tickets of one type in a decision. ``first`` is the position of the first of them within the purchase."""

    ticket_type: UUID
    quantity: int
    price: Decimal
    name: str
    first: int


class Decision(Struct, frozen=True, array_like=True, omit_defaults=True):
    """The effect of one command on a purchase: ``held`` and ``sold`` are the signs (-1, 0, 1) of its lines' quantities.

    Recorded lines that are given back have neither name nor price: the first decision has them. ``exact`` is a reason
    that earlier versions can't decode; ``reason`` is then the nearest one that they can. ``due``: this hold must be
    paid before it is confirmed; ``payment`` is the reference of the payment with which it was. A hold that is
    lengthened gets a second decision of kind HELD, whose lines are not held once more.
    """

    offset: int
    at: int
    kind: OutcomeKind
    held: int = 0
    sold: int = 0
    lines: tuple[DecisionLine, ...] = ()
    reason: Reason | None = None
    figures: dict[str, Any] = {}
    deadline: int | None = None
    request: UUID | None = None
    exact: Reason | None = None
    due: bool = False
    payment: str | None = None

    @property
    def exact_reason(self) -> Reason | None:
        """The reason, also where earlier versions can't decode it."""
        return self.exact or self.reason


class PurchaseRecord(Struct, frozen=True, array_like=True):
    """A purchase and its decisions, from which each command's outcome can be built again.

    Their number is bounded (``PURCHASE_MAX_CHANGES`` in tables/ledger/decisions.py).
    """

    offset: int
    account: UUID
    fingerprint: str
    currency: str
    history: tuple[Decision, ...]

    def and_then(self, decision: Decision) -> "PurchaseRecord":
        """The purchase with one more decision."""
        return replace(self, offset=decision.offset, history=(*self.history, without_names(decision)))

    def lines_of(self, decision: Decision) -> tuple[DecisionLine, ...]:
        """The lines of a decision on this purchase, with names and prices."""
        if not _lacks_names(decision):
            return decision.lines
        first = {line.ticket_type: line for line in self.history[0].lines}
        return tuple(
            [replace(first[line.ticket_type], quantity=line.quantity, first=line.first) for line in decision.lines]
        )

    def before(self, offset: int) -> "PurchaseRecord | None":
        """The purchase as the command at ``offset`` finds it; None if that command makes it."""
        if self.offset < offset:
            return self
        history = tuple(decision for decision in self.history if decision.offset < offset)
        return replace(self, offset=history[-1].offset, history=history) if history else None

    def decided_at(self, offset: int) -> Decision | None:
        """The recorded decision on the command at ``offset``, if any."""
        for decision in reversed(self.history):
            if decision.offset == offset:
                return decision
        return None


def without_names(decision: Decision) -> Decision:
    """A decision as it is recorded. A confirmation keeps names and prices: earlier versions read them there."""
    if not _gives_back(decision) or _lacks_names(decision):
        return decision
    lines = [DecisionLine(line.ticket_type, line.quantity, _NO_PRICE, "", line.first) for line in decision.lines]
    return replace(decision, lines=tuple(lines))


def _lacks_names(decision: Decision) -> bool:
    """Whether names and prices were left out. For free tickets without a name both forms are the same."""
    return _gives_back(decision) and all(not line.name and not line.price for line in decision.lines)


def _gives_back(decision: Decision) -> bool:
    """Whether fewer tickets are out after it. Compares numbers: looking a kind up in a set takes four times as long."""
    return decision.held + decision.sold < 0


class TicketsOut(Struct, array_like=True):
    """Tickets of one type that are held or sold."""

    ticket_type: UUID
    held: int
    sold: int


class Ending(Struct, frozen=True, array_like=True):
    """How far the purchases of a cancelled event have been ended: up to the id ``after``, or all of them."""

    after: UUID | None = None
    done: bool = False


class EventRecord(Struct, array_like=True):
    """An event: its definition (JSON bytes) and the tickets of each type that are out. Its size is bounded."""

    offset: int
    version: int
    definition: bytes
    stock: list[TicketsOut]
    ending: Ending | None = None


class Holding(Struct, frozen=True, array_like=True):
    """The tickets that an account holds of one event, and the types whose holds it gave back or lost, with times (ms).

    ``held`` counts the holds made at the offset ``since`` or later; earlier ones were not counted.
    """

    held: int
    since: int
    let_go: list[tuple[UUID, int]]


NOTHING_HELD: Final = Holding(0, 0, [])


class AccountRecord(Struct, array_like=True):
    """The tickets of each type that an account holds or has bought of one event; ``holding`` if it ever held any."""

    offset: int
    counts: list[tuple[UUID, int]]
    holding: Holding | None = None


class _RecordHead(Struct, array_like=True):
    offset: int


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
encode_record = _encoder.encode
_decode_purchase = msgspec.msgpack.Decoder(PurchaseRecord).decode
decode_event = msgspec.msgpack.Decoder(EventRecord).decode
decode_account = msgspec.msgpack.Decoder(AccountRecord).decode
_decode_head = msgspec.msgpack.Decoder(_RecordHead).decode


def decode_purchase(value: bytes) -> PurchaseRecord:
    """Decode a purchase's record, whichever version wrote it."""
    record = _decode_purchase(value)
    if len(record.history) == 1:
        return record
    return replace(record, history=tuple([without_names(decision) for decision in record.history]))


_DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    ACCOUNT_MARK: decode_account,
    EVENT_MARK: decode_event,
    PURCHASE_MARK: decode_purchase,
}


def record_offset(value: bytes) -> int:
    """The log offset of the command that last changed a record of any kind."""
    return _decode_head(value).offset


def _decode_fields(value: bytes) -> list[Any]:
    """The fields of a record of another kind; the last ones that are None may have been added by a later version."""
    fields: list[Any] = msgspec.msgpack.decode(value, type=list)
    while fields and fields[-1] is None:
        del fields[-1]
    return fields


def same_record(key: bytes, one: bytes, other: bytes) -> bool:
    """Whether two records of ``key`` have the same content, whichever versions wrote them."""
    decode: Callable[[bytes], Any] = _DECODERS.get(key[16:17], _decode_fields)
    try:
        return one == other or bool(decode(one) == decode(other))
    except msgspec.DecodeError:
        return False


def event_key(event: UUID) -> bytes:
    """The key of an event's record."""
    return event.bytes + EVENT_MARK


def purchase_prefix(event: UUID) -> bytes:
    """The common prefix of the keys of an event's purchases."""
    return event.bytes + PURCHASE_MARK


def purchase_key(event: UUID, purchase: UUID) -> bytes:
    """The key of a purchase's record."""
    return event.bytes + PURCHASE_MARK + purchase.bytes


def account_key(event: UUID, account: UUID) -> bytes:
    """The key of an account's record within one event."""
    return event.bytes + ACCOUNT_MARK + account.bytes
