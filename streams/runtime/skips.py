"""Offsets of which the fetcher knows that no record will come. Whoever counts offsets passes over these and no others.

They are markers of transactions, aborted records, what a compaction took, and what was set aside as unreadable.
"""

from faust.types import TP


class Skips:
    """By partition, ranges of such offsets that somebody may still have to pass over."""

    def __init__(self) -> None:
        self._ranges: dict[TP, dict[int, int]] = {}

    def add(self, tp: TP, first: int, last: int) -> None:
        """No record will come of the offsets ``first`` to ``last``."""
        ranges = self._ranges.setdefault(tp, {})
        before = next(reversed(ranges), None)
        if before is not None and before < first == ranges[before]:
            first = before
        ranges[first] = last + 1

    def behind(self, tp: TP, offset: int) -> int:
        """The first offset from ``offset`` on of which a record may come."""
        ranges = self._ranges.get(tp, {})
        while offset in ranges:
            offset = ranges[offset]
        return offset

    def drop_below(self, tp: TP, offset: int) -> None:
        """Nobody will ask for less than ``offset`` any more."""
        ranges = self._ranges.get(tp, {})
        for first in [first for first, behind in ranges.items() if behind <= offset]:
            del ranges[first]

    def forget(self, tp: TP) -> None:
        """The partition is given up."""
        self._ranges.pop(tp, None)
