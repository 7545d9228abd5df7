"""The keys and records of the table ``ledger``. Records are msgpack arrays that begin with a log offset.

A key is the event's id (16 bytes), a letter for the kind of record, and for purchases and accounts their id; so a
prefix scan finds the purchases of one event. (HOLD_MARK is the letter of tables/ledger/deadlines.py.) Under a key that
no event has (NO_EVENT), each partition has a watermark, which reveals whether the log was rewritten since.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tables.ledger.purchase_records import PurchaseRecord, SeatedPurchase, without_names

ACCOUNT_MARK = b"a"
EVENT_MARK = b"e"
HOLD_MARK = b"h"
PLAN_MARK = b"n"
PURCHASE_MARK = b"p"
SECTION_MARK = b"s"
NO_EVENT: Final = bytes(16)
WATERMARK_KEY: Final = NO_EVENT + b"w"
DIGEST_BYTES: Final = 16


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
_decode_plain = msgspec.msgpack.Decoder(PurchaseRecord).decode
_decode_seated = msgspec.msgpack.Decoder(SeatedPurchase).decode
# How a record of five fields begins.
_PLAIN_PURCHASE: Final = b"\x95"
decode_event = msgspec.msgpack.Decoder(EventRecord).decode
decode_account = msgspec.msgpack.Decoder(AccountRecord).decode
_decode_head = msgspec.msgpack.Decoder(_RecordHead).decode


class SectionPieceRecord(Struct, frozen=True, array_like=True):
    """A piece of a plan: the JSON of its command."""

    offset: int
    piece: bytes


class SectionRecord(Struct, frozen=True, array_like=True):
    """The seats of a section that are out: bits by the plan of that number, least significant byte first.

    ``removed`` has those that the plan does not have, by name: whether each is sold, or else held.
    """

    offset: int
    plan: int
    held: bytes
    sold: bytes
    removed: list[tuple[str, bool]]


decode_piece = msgspec.msgpack.Decoder(SectionPieceRecord).decode
decode_section = msgspec.msgpack.Decoder(SectionRecord).decode


def decode_purchase(value: bytes) -> PurchaseRecord:
    """Decode a purchase's record, whichever version wrote it."""
    record = _decode_plain(value)
    if not value.startswith(_PLAIN_PURCHASE) and (seated := _decode_seated(value)).moves:
        record = seated
    if len(record.history) == 1:
        return record
    return replace(record, history=tuple([without_names(decision) for decision in record.history]))


_DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    ACCOUNT_MARK: decode_account,
    EVENT_MARK: decode_event,
    PLAN_MARK: decode_piece,
    PURCHASE_MARK: decode_purchase,
    SECTION_MARK: decode_section,
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


def plan_prefix(event: UUID, plan: int) -> bytes:
    """The common prefix of the keys of a plan's pieces."""
    return event.bytes + PLAN_MARK + plan.to_bytes(8, "big")


def piece_key(event: UUID, plan: int, section: str, part: int) -> bytes:
    """The key of a piece of a plan."""
    return plan_prefix(event, plan) + section.encode() + bytes((0, part))


def section_key(event: UUID, section: str) -> bytes:
    """The key of a section's record."""
    return event.bytes + SECTION_MARK + section.encode()


def purchase_prefix(event: UUID) -> bytes:
    """The common prefix of the keys of an event's purchases."""
    return event.bytes + PURCHASE_MARK


def purchase_key(event: UUID, purchase: UUID) -> bytes:
    """The key of a purchase's record."""
    return event.bytes + PURCHASE_MARK + purchase.bytes


def account_key(event: UUID, account: UUID) -> bytes:
    """The key of an account's record within one event."""
    return event.bytes + ACCOUNT_MARK + account.bytes


class Watermark(Struct, frozen=True, array_like=True):
    """How far a partition of ``ticket-commands`` has been decided: the last command's offset and ``digest_of``."""

    offset: int
    digest: bytes


encode_watermark = msgspec.msgpack.Encoder().encode
decode_watermark = msgspec.msgpack.Decoder(Watermark).decode


def digest_of(key: bytes | None, value: bytes | None, at: int) -> bytes:
    """A hash of a record's key, value and broker timestamp (ms)."""
    key, value = key or b"", value or b""
    lengths = b"%d %d %d " % (at, len(key), len(value))
    return blake2b(lengths + key + value, digest_size=DIGEST_BYTES).digest()
