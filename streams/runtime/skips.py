"""Offsets that hold no record: markers of transactions, aborted, compacted or unreadable records.

Only these are skipped where offsets are expected to be contiguous.
"""

from faust.types import TP


class SkippedRanges:
    """Ranges of such offsets by partition, as far as they are still needed."""

    def __init__(self) -> None:
        # By their first offset, the offset behind their last.
        self._ranges: dict[TP, dict[int, int]] = {}

    def add(self, tp: TP, first: int, last: int) -> None:
        """No record has an offset from ``first`` to ``last``."""
        ranges = self._ranges.setdefault(tp, {})
        before = next(reversed(ranges), None)
        if before is not None and before < first == ranges[before]:
            first = before
        ranges[first] = last + 1

    def next_readable(self, tp: TP, offset: int) -> int:
        """The first offset from ``offset`` on at which a record may be."""
        ranges = self._ranges.get(tp, {})
        while offset in ranges:
            offset = ranges[offset]
        return offset

    def drop_below(self, tp: TP, offset: int) -> None:
        """Forget what lies below ``offset``."""
        ranges = self._ranges.get(tp, {})
        for first in [first for first, end in ranges.items() if end <= offset]:
            del ranges[first]

    def forget(self, tp: TP) -> None:
        """The partition is revoked."""
        self._ranges.pop(tp, None)
