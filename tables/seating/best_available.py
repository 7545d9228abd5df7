"""Which of the free seats of a section are the best: by operations on all bits of a row at once."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tables.seating.ranking import NO_RANK, SeatOrder

# Of a pool, by number of seats. Each takes up to 100 bytes a row.
RUNS_MAX_SIZES: Final = 16


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
        self._seats_by_row = _by_row(order.starts, seats)
        self._required_by_row = None if required is None else _by_row(order.starts, required)
        self._runs: dict[int, _RowRuns] = {}

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

    def _add_runs(self, key: int) -> "_RowRuns":
        while len(self._runs) >= RUNS_MAX_SIZES:
            del self._runs[next(iter(self._runs))]
        runs = _RowRuns(self._order, self._seats_by_row, self._required_by_row, abs(key), orphans=key < 0)
        self._runs[key] = runs
        return runs


class _RowRuns:
    """The best run of ``count`` seats in each row; a row is only looked at again when its free seats have changed."""

    __slots__ = (
        "_best",
        "_count",
        "_free",
        "_free_by_row",
        "_middle",
        "_order",
        "_orphans",
        "_ranks",
        "_required",
        "_seats",
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
        self._free_by_row = [0] * len(seats)
        # The ranks of the middle seats of the best runs, by row, and those that are there in ascending order.
        self._ranks = [NO_RANK] * len(seats)
        self._best: list[int] = []

    def best(self, free: int) -> int | None:
        """The first bit of the best run of the section; None if there is none."""
        best = self._best
        changed = free ^ self._free
        if changed:
            self._free = free
            starts, by_row, ranks = self._order.starts, self._free_by_row, self._ranks
            while changed:
                row = bisect_right(starts, changed.bit_length() - 1) - 1
                start = starts[row]
                here = changed >> start
                changed ^= here << start
                by_row[row] = free_here = by_row[row] ^ here
                before, now = ranks[row], self._rank(row, free_here)
                if now != before:
                    ranks[row] = now
                    if before != NO_RANK:
                        del best[bisect_left(best, before)]
                    if now != NO_RANK:
                        insort(best, now)
        return self._order.bits[best[0]] - self._middle if best else None

    def _rank(self, row: int, free: int) -> int:
        """The rank of the middle seat of the best run of a row; NO_RANK if there is none."""
        runs = free & self._seats[row]
        for step in self._steps:
            runs &= runs >> step
        if runs and self._required is not None:
            runs &= _any_within(self._required[row], self._count)
        if not runs:
            return NO_RANK
        if not self._orphans:
            # Without the runs that leave the seat before or behind them free and without a free neighbour.
            pairs = free & free >> 1
            runs ^= runs & ((free ^ pairs << 1) << 1 | (free ^ pairs) >> self._count)
        # Of each valley the last run up to its first seat, or the first one behind it.
        runs <<= self._middle
        order, best = self._order, NO_RANK
        ranks = order.ranks[row]
        for near, far in order.valleys[row]:
            if (found := runs & near) and (rank := ranks[found.bit_length() - 1]) < best:
                best = rank
            if (found := runs & far) and (rank := ranks[(found & -found).bit_length() - 1]) < best:
                best = rank
        return best


def _by_row(starts: Sequence[int], bits: int) -> list[int]:
    """The bits of each row, counted from its first one."""
    found = [0] * len(starts)
    for row in reversed(range(len(starts))):
        found[row] = bits >> starts[row]
        bits ^= found[row] << starts[row]
    return found


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
