"""Reading a partition's table in small steps, so that nobody waits long for a long scan.

``Scan`` gives the entries from a key on, in order; a step seeks past what it doesn't need.
"""

from collections.abc import Callable, Iterator
from typing import Final
from uuid import UUID

from tables.ledger.deadlines import HOLDS_PREFIX
from tables.ledger.inventory import Inventory
from tables.ledger.records import decode_event, event_key

Read = Callable[[bytes], bytes | None]
Scan = Callable[[bytes], Iterator[tuple[bytes, bytes]]]

# Behind all keys that begin with the same bytes: the letters of keys are smaller.
LAST: Final = b"\xff"
# Before the first event, behind the index of holds, whose removed entries would take long to pass.
EVENTS_START: Final = HOLDS_PREFIX + LAST


class EventScan:
    """Goes through the events of a partition from ``position`` on, which is None at the end."""

    def __init__(self, read: Read, scan: Scan, position: bytes = EVENTS_START) -> None:
        self.position: bytes | None = max(position, EVENTS_START)
        self._read = read
        self._scan = scan

    def step(self) -> Inventory | None:
        """The next event; None where the next key belongs to none, and at the end."""
        first = None if self.position is None else next(self._scan(self.position), None)
        if first is None:
            self.position = None
            return None
        event = UUID(bytes=first[0][:16])
        self.position = event.bytes + LAST
        record = self._read(event_key(event))
        return None if record is None else Inventory.from_record(event, decode_event(record))
