"""The best of the free seats of some sections: adjacent ones, or as few groups of them as there can be.

And those that are offered instead of one that is taken.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tables.seating.best_available import SeatPool, longest_run, run_bits, run_starts
from tables.seating.layout import RowLayout, positions

# Adjacent seats: their section's place among those that were asked, the bit of the first, and their number.
ChosenRun = tuple[int, int, int]


class FreeSeats(NamedTuple):
    """The ``free`` seats of a section, of every category, and the ``pool`` among which the best are chosen."""

    pool: SeatPool
    free: int

    @property
    def chosen(self) -> int:
        """The bits of the seats that may be chosen."""
        return self.pool.seats & self.free


def choose(sections: Iterable[FreeSeats], count: int, *, together: bool) -> list[ChosenRun]:
    """The best ``count`` seats; empty if there are none.

    The first section that has a run without leaving an orphan gives it, or else the first that has a run at all. Unless
    ``together``, groups follow if no section has a run: the longest ones that there are, all from one section if one
    alone has enough seats.
    """
    seen: list[FreeSeats] = []
    for seats in sections:
        if (first := seats.pool.best_run(seats.free, count, orphans=False)) is not None:
            return [(len(seen), first, count)]
        seen.append(seats)
    for number, seats in enumerate(seen):
        if (first := seats.pool.best_run(seats.free, count, orphans=True)) is not None:
            return [(number, first, count)]
    return [] if together else _scattered(seen, count)


def longest(sections: Sequence[FreeSeats], count: int) -> int:
    """The largest number of seats below ``count`` that one can get together."""
    return max((_longest(seats, count) for seats in sections), default=0)


def _longest(seats: FreeSeats, count: int) -> int:
    if seats.pool.required is None:
        return longest_run(seats.chosen)
    sizes = range(min(count - 1, longest_run(seats.chosen)), 0, -1)
    return next((size for size in sizes if seats.pool.has_run(seats.free, size)), 0)


def _scattered(sections: Sequence[FreeSeats], count: int) -> list[ChosenRun]:
    sizes = [seats.chosen.bit_count() for seats in sections]
    if sum(sizes) < count:
        return []
    enough = [number for number, size in enumerate(sizes) if size >= count]
    found: list[ChosenRun] = []
    for number in enough[:1] or range(len(sections)):
        for first, size in _groups(sections[number], count):
            found.append((number, first, size))
            count -= size
    return found


def _groups(seats: FreeSeats, count: int) -> Iterator[tuple[int, int]]:
    """The first bits and the sizes of the longest runs of one section, at most ``count`` seats."""
    pool, free = seats
    size = count
    while count and (chosen := pool.seats & free):
        size = min(size, count)
        if not run_starts(chosen, size):
            size = longest_run(chosen)
        first = pool.best_run(free, size, orphans=False)
        if first is None:
            first = pool.best_run(free, size, orphans=True)
        if first is None:
            return
        yield first, size
        count -= size
        free ^= run_bits(first, size)


def nearby(seats: FreeSeats, row: RowLayout, bit: int, count: int) -> list[int]:
    """At most ``count`` bits: those of the seat's row by their distance in it, then the best of the section."""
    if not seats.chosen:
        return []
    in_row = (1 << len(row.shape.labels)) - 1 << row.start
    beside = positions(seats.chosen & in_row)
    found = sorted(beside, key=lambda each: (abs(each - bit), each))[:count]
    others = seats.free ^ seats.free & in_row
    while len(found) < count and (best := seats.pool.best_run(others, 1, orphans=True)) is not None:
        found.append(best)
        others ^= 1 << best
    return found
