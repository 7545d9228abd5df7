"""A moment of a partition's log: its state after the command at an offset, or after the last one up to a time."""

from datetime import datetime
from itertools import takewhile
from typing import Final, NamedTuple

from tables.ledger.purchase_records import PurchaseRecord
from tables.messages.encoding import to_milliseconds

OFFSET_MAX_DIGITS: Final = 18


class AsOf(NamedTuple):
    """After the command at ``offset``, or after the last one up to the time ``at`` (ms); without either, now."""

    offset: int | None = None
    at: int | None = None

    @classmethod
    def read(cls, text: str) -> "AsOf":
        """An offset, or a time in ISO 8601 with its offset from UTC. Raises ValueError."""
        if text.isascii() and text.isdecimal() and len(text) <= OFFSET_MAX_DIGITS:
            return cls(offset=int(text))
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("must be an offset, or a time as in 2026-11-28T12:00:00Z") from None
        if time.tzinfo is None:
            raise ValueError("the time needs its offset from UTC, as in 2026-11-28T12:00:00Z")
        return cls(at=to_milliseconds(time))

    def includes(self, offset: int, at: int) -> bool:
        """Whether the command at that offset, appended at ``at`` (ms), comes before the moment."""
        return (self.offset is None or offset <= self.offset) and (self.at is None or at <= self.at)

    def of_purchase(self, record: PurchaseRecord) -> PurchaseRecord | None:
        """The purchase at the moment, by its history; None if it was made later."""
        history = list(takewhile(lambda decision: self.includes(decision.offset, decision.at), record.history))
        return record.before(history[-1].offset + 1) if history else None


NOW: Final = AsOf()
