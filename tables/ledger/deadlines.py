"""The index of open holds by deadline, derived from the purchase records and kept beside them, never in the changelog.

An entry is a key without a value: ``HOLDS``, the deadline (ms, 8 bytes, big endian), the purchase's key. A
record's key has another letter at the place of ``HOLD``, so neither is ever found among the others.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from tables.ledger.purchase_state import standing
from tables.ledger.records import HOLD, PURCHASE, decode_purchase
from tables.messages.commands import Expire
from tables.messages.outcomes import OutcomeKind
from tables.messages.statuses import PurchaseStatus

HOLDS: Final = bytes(16) + HOLD
MOST: Final = 1_000
MOST_UNDER_WAY: Final = 5_000
_UNPLACED: Final = 2**63

_DEADLINE: Final = slice(len(HOLDS), len(HOLDS) + 8)
_LAST: Final = HOLDS + b"\xff" * 9
_HELD: Final = OutcomeKind.HELD.value.encode()

Scan = Callable[[bytes], Iterable[bytes]]


class Change(NamedTuple):
    """What a record does to the index."""

    gone: bytes | None = None
    come: bytes | None = None


_NONE: Final = Change()


def index(key: bytes, value: bytes) -> Change:
    """What storing ``value`` under ``key`` does. The record before it need not be known.

    A hold is its purchase's first decision, so every later record of it still tells which entry it had.
    """
    # Most records are no holds: the word is found missing without decoding.
    if key[16:17] != PURCHASE or _HELD not in value:
        return _NONE
    record = decode_purchase(value)
    first = record.history[0]
    if first.deadline is None:
        return _NONE
    entry = entry_of(first.deadline, key)
    return Change(come=entry) if standing(record).status is PurchaseStatus.HELD else Change(gone=entry)


def entry_of(deadline: int, key: bytes) -> bytes:
    """The entry of a purchase held until ``deadline`` (ms)."""
    return HOLDS + deadline.to_bytes(8, "big") + key


def deadline_of(entry: bytes) -> int:
    """The deadline (ms) that an entry stands for."""
    return int.from_bytes(entry[_DEADLINE], "big")


def expiry_of(entry: bytes) -> Expire:
    """The command that ends the hold of an entry."""
    key = entry[_DEADLINE.stop :]
    return Expire(UUID(bytes=key[:16]), UUID(bytes=key[17:]))


class Schedule:
    """Which holds of one partition are due. Each is told once, and again only if the ledger refused that.

    It remembers where the index begins, so that a look costs nothing before the next deadline and never
    passes over the entries that are gone.
    """

    def __init__(self) -> None:
        self._begins = HOLDS
        self._told: dict[bytes, int] = {}
        self._behind = 0
        self._carried_out = -1

    def carried_out(self, offset: int, entries: Iterable[bytes]) -> None:
        """The ledger has carried out the log up to ``offset``; that brought ``entries`` into the index."""
        self._carried_out = offset
        self._begins = min([self._begins, *entries])

    def take(self, scan: Scan, now: int) -> list[bytes]:
        """The entries to tell the ledger of at ``now`` (ms): ``MOST`` at once, ``MOST_UNDER_WAY`` at most.

        ``scan`` gives the index's entries from one on, in their order.
        """
        at = now - self._behind
        if deadline_of(self._begins) > at:
            return []
        under_way: dict[bytes, int] = {}
        due: list[bytes] = []
        begins = _LAST
        for entry in scan(self._begins):
            begins = min(begins, entry)
            if deadline_of(entry) > at or len(due) == MOST or len(under_way) == MOST_UNDER_WAY:
                break
            told = self._told.get(entry)
            if told is None or told <= self._carried_out:
                due.append(entry)
                told = _UNPLACED
            under_way[entry] = told
        self._begins = begins
        self._told = under_way
        return due

    def appended(self, entries: Iterable[bytes], taken: int, offset: int, at: int) -> None:
        """The commands for ``entries``, taken at ``taken``, end at ``offset`` of the log, appended at ``at`` (both ms).

        Where the broker's clock is behind, later ones wait for it; what came too early the ledger refuses.
        """
        self._behind = max(0, taken - at)
        for entry in entries:
            self._told[entry] = offset

    def lost(self, entries: Iterable[bytes]) -> None:
        """The commands for ``entries`` could not be appended."""
        for entry in entries:
            self._told.pop(entry, None)
