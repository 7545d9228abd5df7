"""Mending what a compaction broke: it may keep the older record that a paused worker wrote late, and drop the newer.

The purchases still tell what was decided. An event's or account's record that lacks a decision below the
committed input, which no replay will bring again, is made anew from them.
"""

from array import array
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.account import Account
from tables.inventory import Inventory
from tables.records import (
    ACCOUNT,
    EVENT,
    PURCHASE,
    Decision,
    account_key,
    decode_event,
    decode_purchase,
    event_key,
    record_offset,
)

Load = Callable[[bytes], bytes | None]


class _Mark(Struct, array_like=True):
    offset: int
    at: int
    kind: str
    held: int = 0
    sold: int = 0


class _Marks(Struct, array_like=True):
    offset: int
    account: UUID
    fingerprint: str
    currency: str
    history: list[_Mark]


_decode_marks = msgspec.msgpack.Decoder(_Marks).decode


class Unbooked:
    """Decisions of purchases read from a changelog that no event's or account's record read after them shows.

    In the order in which a worker writes, those are few at any time.
    """

    def __init__(self) -> None:
        self._offsets: dict[bytes, array[int]] = {}

    def read(self, key: bytes, value: bytes) -> None:
        """Take notice of a record."""
        kind = key[16:17]
        if kind == PURCHASE:
            self._purchase(key, value)
        elif kind in (EVENT, ACCOUNT) and key in self._offsets:
            shown = record_offset(value)
            rest = array("q", (offset for offset in self._offsets[key] if offset > shown))
            if rest:
                self._offsets[key] = rest
            else:
                del self._offsets[key]

    def events(self, load: Load, committed: int) -> set[UUID]:
        """The events with a record that lacks a decision below ``committed``, the input that is read next."""
        return {UUID(bytes=key[:16]) for key in self._offsets if self._lacks(key, load(key), committed)}

    def _purchase(self, key: bytes, value: bytes) -> None:
        record = _decode_marks(value)
        offsets = [mark.offset for mark in record.history if mark.held or mark.sold]
        if offsets:
            event = key[:16]
            for place in (event + EVENT, event + ACCOUNT + record.account.bytes):
                self._offsets.setdefault(place, array("q")).extend(offsets)

    def _lacks(self, key: bytes, value: bytes | None, committed: int) -> bool:
        shown = -1 if value is None else record_offset(value)
        return any(shown < offset < committed for offset in self._offsets[key])


def mended(event: UUID, load: Load, purchases: Iterable[bytes], committed: int) -> dict[bytes, bytes]:
    """The records of an event and its accounts made anew, where they lack a decision below ``committed``.

    ``purchases`` are the values of all the event's purchase records. The event's definition stays the known one.
    """
    value = load(event_key(event))
    if value is None:
        return {}
    decisions: list[tuple[UUID, Decision]] = []
    for each in purchases:
        record = decode_purchase(each)
        decisions += [(record.account, one) for one in record.history if one.lines and one.offset < committed]
    decisions.sort(key=lambda pair: pair[1].offset)
    inventory = Inventory.from_record(event, decode_event(value))
    made = {}
    if decisions and inventory.offset < decisions[-1][1].offset:
        inventory.count_again(decision for _, decision in decisions)
        made[event_key(event)] = inventory.record()
    return made | _accounts(event, load, decisions)


def _accounts(event: UUID, load: Load, decisions: list[tuple[UUID, Decision]]) -> dict[bytes, bytes]:
    accounts: dict[UUID, Account] = {}
    for owner, decision in decisions:
        accounts.setdefault(owner, Account(account_key(event, owner), None)).apply(decision)
    made = {}
    for account in accounts.values():
        value = load(account.key)
        if value is None or record_offset(value) < account.offset:
            made[account.key] = account.record()
    return made
