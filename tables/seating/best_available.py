"""Which of the free seats of a section are the best: by operations on all bits of a row at once."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tables.seating.ranking import NO_RANK, SeatOrder
from tables.seating.rows import RowBits, by_row, rows_with

# Of a pool, by number of seats. Each takes up to 100 bytes a row.
RUNS_MAX_SIZES: Final = 16
# A section has less than 2^24 bits, so it has fewer rows.
_ROW_BITS: Final = 24
_ROW_MASK: Final = 2**_ROW_BITS - 1

# The number of a row, and the bit in it from which on adjacent seats are.
RunPlace = tuple[int, int]


def run_starts(bits: int, count: int) -> int:
    """The bits at which ``count`` set bits follow each other, itself included."""
    for step in _steps(count):
        bits &= bits >> step
    return bits


def longest_run(bits: int) -> int:
    """The largest number of set bits that follow each other."""
    if not bits:
        return 0
    doubled = [bits]
    while longer := doubled[-1] & doubled[-1] >> (1 << len(doubled) - 1):
        doubled.append(longer)
    length = 1 << len(doubled) - 1
    starts = doubled.pop()
    for power in reversed(range(len(doubled))):
        if longer := starts & doubled[power] >> length:
            starts, length = longer, length + (1 << power)
    return length


def run_bits(first: int, count: int) -> int:
    """The bits of ``count`` adjacent seats."""
    return (1 << count) - 1 << first


class SeatPool:
    """Seats of a section among which the best are chosen. Unless ``required`` is None, one of those must be chosen."""

    __slots__ = ("_order", "_required_by_row", "_runs", "_seats_by_row", "required", "seats")

    def __init__(self, order: SeatOrder, seats: int, required: int | None = None) -> None:
        self.seats = seats
        self.required = required
        self._order = order
        self._seats_by_row = by_row(order.starts, seats)
        self._required_by_row = None if required is None else by_row(order.starts, required)
        self._runs: dict[int, RowRuns] = {}

    def has_run(self, free: int, count: int) -> bool:
        """Whether there are ``count`` adjacent seats of the pool that are ``free``."""
        starts = run_starts(free & self.seats, count)
        return bool(starts if self.required is None else starts & _any_within(self.required, count))

    def best_run(self, free: int, count: int, *, orphans: bool) -> int | None:
        """The first bit of the best ``count`` adjacent seats of the pool that are ``free``; None if there are none.

        The best is the run whose middle seat (of two the first) is nearest to the focal point; the first row and seat
        break a tie. Unless ``orphans``, it leaves no free seat beside it alone that was not alone before.
        """
        key = -count if orphans else count
        runs = self._runs.get(key) or self._add_runs(key)
        return runs.best(free)

    def row_runs(self, count: int, *, orphans: bool) -> "RowRuns":
        """What looks for the best runs of some seats, for a caller who says which rows have changed."""
        return RowRuns(self._order, self._seats_by_row, self._required_by_row, count, orphans=orphans)

    def _add_runs(self, key: int) -> "RowRuns":
        while len(self._runs) >= RUNS_MAX_SIZES:
            del self._runs[next(iter(self._runs))]
        runs = self._runs[key] = self.row_runs(abs(key), orphans=key < 0)
        return runs


class RowRuns:
    """The best run of ``count`` seats in each row; a row is only looked at again when its free seats have changed.

    Use either ``best`` or ``best_of``.
    """

    __slots__ = (
        "_best",
        "_count",
        "_free",
        "_middle",
        "_order",
        "_orphans",
        "_ranks",
        "_required",
        "_rows",
        "_seats",
        "_seen",
        "_steps",
    )

    def __init__(
        self, order: SeatOrder, seats: Sequence[int], required: Sequence[int] | None, count: int, *, orphans: bool
    ) -> None:
        self._order = order
        self._seats = seats
        self._required = required
        self._count = count
        self._steps = _steps(count)
        self._middle = (count - 1) // 2
        self._orphans = orphans
        self._free = 0
        self._rows = [0] * len(seats)
        self._seen: int | None = None
        # The ranks of the middle seats of the best runs, by row; and those that are there, with the number of their row
        # behind them, in ascending order.
        self._ranks = [NO_RANK] * len(seats)
        self._best: list[int] = []

    def best(self, free: int) -> int | None:
        """The first bit of the best run of the section, by its free bits; None if there is none."""
        for row, changed in rows_with(self._order.starts, free ^ self._free):
            self._look(row, self._rows[row] ^ changed)
        self._free = free
        return self._order.bits[self._best[0] >> _ROW_BITS] - self._middle if self._best else None

    def best_of(self, rows: Sequence[int], changes: Sequence[RowBits]) -> RunPlace | None:
        """Where the best run is, by the free bits of the section's rows; None if there is none.

        ``changes`` has the rows that have changed, at its end the last one.
        """
        seen, self._seen = self._seen, len(changes)
        for row, _ in enumerate(rows) if seen is None else changes[seen:]:
            if (free := rows[row]) != self._rows[row]:
                self._look(row, free)
        if not self._best:
            return None
        best, order = self._best[0], self._order
        row = best & _ROW_MASK
        return row, order.bits[best >> _ROW_BITS] - self._middle - order.starts[row]

    def _look(self, row: int, free: int) -> None:
        """Find the best run of a row, whose free bits have changed."""
        self._rows[row] = free
        runs = free & self._seats[row]
        for step in self._steps:
            runs &= runs >> step
        if runs and self._required is not None:
            runs &= _any_within(self._required[row], self._count)
        if runs and not self._orphans:
            # Without the runs that leave the seat before or behind them free and without a free neighbour.
            pairs = free & free >> 1
            runs ^= runs & ((free ^ pairs << 1) << 1 | (free ^ pairs) >> self._count)
        rank = self._order.first(row, runs << self._middle) if runs else NO_RANK
        before = self._ranks[row]
        if rank != before:
            self._ranks[row] = rank
            if before != NO_RANK:
                del self._best[bisect_left(self._best, before << _ROW_BITS)]
            if rank != NO_RANK:
                insort(self._best, rank << _ROW_BITS | row)


def _any_within(bits: int, count: int) -> int:
    """The bits from which on at least one of ``count`` bits is set."""
    for step in _steps(count):
        bits |= bits >> step
    return bits


@lru_cache(maxsize=512)
def _steps(count: int) -> tuple[int, ...]:
    """By how much bits are shifted in turn so that each meets the next ``count`` - 1."""
    steps: list[int] = []
    while (have := sum(steps, 1)) < count:
        steps.append(min(have, count - have))
    return tuple(steps)
