"""The index of open holds by deadline. It is derived from the purchase records, and not part of the changelog.

An entry is a key without a value: ``HOLDS_PREFIX``, the deadline (ms, 8 bytes, big endian), the purchase's key. Keys
of records have another letter at the place of ``HOLD_MARK``, so scans of entries and of records never mix.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from tables.ledger.purchase_state import deadlines_of, state_of
from tables.ledger.records import HOLD_MARK, PURCHASE_MARK, decode_purchase
from tables.messages.commands import Expire
from tables.messages.outcomes import OutcomeKind
from tables.messages.statuses import PurchaseStatus

HOLDS_PREFIX: Final = bytes(16) + HOLD_MARK
BATCH_MAX_HOLDS: Final = 1_000
PENDING_MAX_HOLDS: Final = 5_000
# Above every offset.
_NOT_APPENDED: Final = 2**63

_DEADLINE: Final = slice(len(HOLDS_PREFIX), len(HOLDS_PREFIX) + 8)
_LAST: Final = HOLDS_PREFIX + b"\xff" * 9
_HELD: Final = OutcomeKind.HELD.value.encode()

Scan = Callable[[bytes], Iterable[bytes]]


class IndexChange(NamedTuple):
    """The entries that a stored record removes, and the entry that it adds."""

    removed: tuple[bytes, ...] = ()
    added: bytes | None = None


_NONE: Final = IndexChange()


def index_change(key: bytes, value: bytes) -> IndexChange:
    """The change that storing ``value`` under ``key`` makes, whatever record was there before.

    A hold is its purchase's first decision, so every later record of the purchase still has its deadlines.
    """
    # Most records are no holds: a search for the word saves decoding them.
    if key[16:17] != PURCHASE_MARK or _HELD not in value:
        return _NONE
    record = decode_purchase(value)
    entries = [entry_of(deadline, key) for deadline in deadlines_of(record)]
    if state_of(record).status is PurchaseStatus.HELD:
        return IndexChange(tuple(entries[:-1]), entries[-1])
    return IndexChange(tuple(entries))


def entry_of(deadline: int, key: bytes) -> bytes:
    """The entry of a purchase held until ``deadline`` (ms)."""
    return HOLDS_PREFIX + deadline.to_bytes(8, "big") + key


def deadline_of(entry: bytes) -> int:
    """The deadline (ms) of an entry."""
    return int.from_bytes(entry[_DEADLINE], "big")


def expiry_of(entry: bytes) -> Expire:
    """The command that ends the hold of an entry."""
    key = entry[_DEADLINE.stop :]
    return Expire(UUID(bytes=key[:16]), UUID(bytes=key[17:]))


class HoldSchedule:
    """The holds of one partition that are due. Each is returned once, and again only if the ledger refused to end it.

    It remembers the first entry of the index, so that a look before the next deadline costs nothing and none scans the
    tombstones of removed entries.
    """

    def __init__(self, batch_max: int = BATCH_MAX_HOLDS, pending_max: int = PENDING_MAX_HOLDS) -> None:
        self._batch_max = batch_max
        self._pending_max = pending_max
        self._first = HOLDS_PREFIX
        self._pending: dict[bytes, int] = {}
        self._clock_lag_ms = 0
        self._latest_ms = 0
        self._decided_offset = -1

    @property
    def first_entry(self) -> bytes:
        """A key of the index before which there is no open hold."""
        return self._first

    def decided(self, offset: int, entries: Iterable[bytes]) -> None:
        """The ledger has decided the log up to ``offset``, which added ``entries`` to the index."""
        self._decided_offset = offset
        self._first = min([self._first, *entries])

    def due(self, scan: Scan, now: int) -> list[bytes]:
        """The entries to expire at ``now`` (ms): at most ``batch_max``, and ``pending_max`` with those under way.

        ``scan`` returns the index's entries from the given one on, sorted.
        """
        # A clock that was set back no longer is ahead of the broker's by as much.
        self._clock_lag_ms = max(0, self._clock_lag_ms - max(0, self._latest_ms - now))
        self._latest_ms = now
        at = now - self._clock_lag_ms
        if deadline_of(self._first) > at:
            return []
        pending: dict[bytes, int] = {}
        due: list[bytes] = []
        first = _LAST
        for entry in scan(self._first):
            first = min(first, entry)
            if deadline_of(entry) > at or len(due) == self._batch_max or len(pending) == self._pending_max:
                break
            sent_at = self._pending.get(entry)
            if sent_at is None or sent_at <= self._decided_offset:
                due.append(entry)
                sent_at = _NOT_APPENDED
            pending[entry] = sent_at
        self._first = first
        self._pending = pending
        return due

    def sent(self, entries: Iterable[bytes], due_at: int, offset: int, at: int) -> None:
        """The commands for ``entries``, due at ``due_at``, were appended up to ``offset`` at ``at`` (times in ms).

        If the broker's clock is behind ours, later ones wait as long: the ledger refuses commands that come too early.
        """
        self._clock_lag_ms = max(0, due_at - at)
        for entry in entries:
            self._pending[entry] = offset

    def not_sent(self, entries: Iterable[bytes]) -> None:
        """The commands for ``entries`` could not be appended."""
        for entry in entries:
            self._pending.pop(entry, None)
