"""Scans for the views: an account's purchases, and the sections of an event."""

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from tables.ledger.records import account_key, decode_purchase, decode_section, purchase_prefix, section_key
from tables.ledger.scans import EVENTS_START, LAST, Read, Scan
from tables.ledger.seat_views import SectionView, section_view
from tables.ledger.views import PurchaseView, purchase_view

STEP_MAX_PURCHASES: Final = 100


class PurchaseScan:
    """Goes through the purchases of an account in one event, or in all events of a partition.

    Over all events it reads only the purchases of events in which the account ever got tickets.
    """

    def __init__(
        self, read: Read, scan: Scan, account: UUID, event: UUID | None = None, position: bytes = EVENTS_START
    ) -> None:
        self.position: bytes | None = max(position, EVENTS_START if event is None else purchase_prefix(event))
        self._read = read
        self._scan = scan
        self._account = account
        self._event = event

    def step(self) -> PurchaseView | None:
        """The account's first purchase among the next few records, if there is one."""
        first = None if self.position is None else next(self._scan(self.position), None)
        if first is None or not self._is_wanted(first[0]):
            self.position = None
            return None
        event = UUID(bytes=first[0][:16])
        if self._event is None and self._read(account_key(event, self._account)) is None:
            self.position = event.bytes + LAST
            return None
        self.position = max(first[0], purchase_prefix(event))
        return self._find(event, self._scan(self.position))

    def _is_wanted(self, key: bytes) -> bool:
        return self._event is None or key.startswith(purchase_prefix(self._event))

    def _find(self, event: UUID, entries: Iterator[tuple[bytes, bytes]]) -> PurchaseView | None:
        for key, value in islice(entries, STEP_MAX_PURCHASES):
            if not key.startswith(purchase_prefix(event)):
                self.position = event.bytes + LAST
                return None
            self.position = key + b"\0"
            # Most are of others: looking for the bytes is quicker than decoding them.
            if self._account.bytes in value and (record := decode_purchase(value)).account == self._account:
                return purchase_view(event, UUID(bytes=key[17:]), record)
        return None


class SectionScan:
    """Goes through the sections of an event of which seats are out, or ever were."""

    def __init__(self, scan: Scan, event: UUID, position: bytes = b"") -> None:
        self._prefix = section_key(event, "")
        self.position: bytes | None = max(position, self._prefix)
        self._scan = scan
        self._event = event

    def step(self) -> SectionView | None:
        """The next section; None at the end."""
        first = None if self.position is None else next(self._scan(self.position), None)
        if first is None or not first[0].startswith(self._prefix):
            self.position = None
            return None
        key, value = first
        self.position = key + b"\0"
        return section_view(self._event, key.removeprefix(self._prefix).decode(), decode_section(value))
