"""One event's past: its commands decided once more, in a table of its own.

Only the commands of the event are carried out, and the partition's limits on holds, since nothing else decides it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol
from uuid import UUID

from tables.errors import MalformedCommand
from tables.ids import TicketCodes
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, decode_limits
from tables.ledger.ledger import Ledger
from tables.ledger.purchase_records import PurchaseRecord
from tables.ledger.records import account_key, decode_account, decode_purchase, purchase_key
from tables.ledger.views import AccountView, EventView, account_view, event_view
from tables.messages.commands import Command, EventDefinition, LimitHolds
from tables.messages.outcomes import Outcome

Row = tuple[bytes, bytes]


class LogCommand(NamedTuple):
    """A command with its offset and the time (ms) at which it was appended."""

    offset: int
    at: int
    command: Command


class ReplayTable(Protocol):
    """Records by key; ``scan`` gives those whose keys begin with ``prefix`` and come after ``after``, by key."""

    def load(self, keys: list[bytes]) -> Sequence[bytes | None]: ...

    def scan(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[Row]: ...

    def write(self, records: Iterable[Row]) -> None: ...


class MemoryTable:
    """A table in memory."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def load(self, keys: list[bytes]) -> list[bytes | None]:
        """The records under ``keys``, in their order; None where there is none."""
        return [self._records.get(key) for key in keys]

    def scan(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[Row]:
        """The records whose keys begin with ``prefix`` and come after ``after``."""
        first = bisect_left(self._keys, max(prefix, after + b"\0" if after else b""))
        for key in islice(self._keys, first, None):
            if not key.startswith(prefix):
                return
            yield key, self._records[key]

    def write(self, records: Iterable[Row]) -> None:
        for key, value in records:
            if key not in self._records:
                insort(self._keys, key)
            self._records[key] = value


class EventReplay:
    """The ledger of one event on a table of its own, which is empty or has the event's records at some offset."""

    def __init__(self, table: ReplayTable, event: UUID, codes: TicketCodes) -> None:
        self.event = event
        self._table = table
        self._ledger = Ledger(table.load, table.scan, codes)

    def apply(self, each: LogCommand) -> tuple[Outcome, ...]:
        """Carry out a command of the log; nothing if it is another event's, or became a dead letter."""
        if not isinstance(each.command, LimitHolds) and each.command.event != self.event:
            return ()
        try:
            self._ledger.check(each.offset, each.command)
        except MalformedCommand:
            return ()
        result = self._ledger.apply(each.offset, each.at, each.command)
        self._table.write((self._ledger.take_purchases() | self._ledger.take_events()).items())
        return result.outcomes

    def stock(self, at: int) -> EventView | None:
        """The event's stock; ``at`` (ms) says which sale periods have begun."""
        inventory = self._ledger.inventory(self.event)
        return None if inventory is None else event_view(inventory, at)

    def definition(self) -> EventDefinition | None:
        """The definition by which it sells."""
        inventory = self._ledger.inventory(self.event)
        return None if inventory is None else inventory.definition

    def purchase(self, purchase: UUID) -> PurchaseRecord | None:
        """The purchase's record."""
        value = self._load(purchase_key(self.event, purchase))
        return None if value is None else decode_purchase(value)

    def account(self, account: UUID) -> AccountView | None:
        """What an account has of the event."""
        value = self._load(account_key(self.event, account))
        return None if value is None else account_view(self.event, account, decode_account(value))

    def hold_limits(self) -> LimitHolds:
        """The limits on holds that apply."""
        return decode_limits(self._load(HOLD_LIMITS_KEY)).command()

    def _load(self, key: bytes) -> bytes | None:
        [value] = self._table.load([key])
        return value
