"""The best of the free seats of some sections: adjacent ones, or as few groups of them as there can be.

And those that are offered instead of one that is taken.
"""

from collections.abc import Iterable, Iterator, Sequence

from tables.seating.best_available import FreeSeats, best_run, longest_run, run_bits, run_starts
from tables.seating.layout import positions

# Adjacent seats: their section's place among those that were asked, the bit of the first, and their number.
ChosenRun = tuple[int, int, int]


def choose(sections: Iterable[FreeSeats], count: int, *, together: bool) -> list[ChosenRun]:
    """The best ``count`` seats; empty if there are none.

    The first section that has a run without leaving an orphan gives it, or else the first that has a run at all. Unless
    ``together``, groups follow if no section has a run: the longest ones that there are, all from one section if one
    alone has enough seats.
    """
    seen: list[FreeSeats] = []
    for number, seats in enumerate(sections):
        if (first := best_run(seats, count, orphans=False)) is not None:
            return [(number, first, count)]
        seen.append(seats)
    for number, seats in enumerate(seen):
        if (first := best_run(seats, count, orphans=True)) is not None:
            return [(number, first, count)]
    return [] if together else _scattered(seen, count)


def longest(sections: Sequence[FreeSeats], count: int) -> int:
    """The largest number of seats below ``count`` that one can get together."""
    return max((_longest(seats, count) for seats in sections), default=0)


def _longest(seats: FreeSeats, count: int) -> int:
    if seats.required is None:
        return longest_run(seats.chosen)
    sizes = range(min(count - 1, longest_run(seats.chosen)), 0, -1)
    return next((size for size in sizes if best_run(seats, size, orphans=True) is not None), 0)


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
    size = count
    while seats.chosen and count:
        size = min(size, count)
        if not run_starts(seats.chosen, size):
            size = longest_run(seats.chosen)
        first = best_run(seats, size, orphans=False)
        if first is None:
            first = best_run(seats, size, orphans=True)
        if first is None:
            return
        yield first, size
        count -= size
        group = run_bits(first, size)
        seats = seats._replace(free=seats.free ^ group, chosen=seats.chosen ^ group)


def nearby(seats: FreeSeats, bit: int, count: int) -> list[int]:
    """At most ``count`` bits: those of the seat's row by their distance in it, then the best of the section."""
    row = seats.layout.row_of(bit)
    width = len(row.shape.labels)
    beside = seats.chosen >> row.start & (1 << width) - 1
    in_row = [row.start + each for each in positions(beside)]
    found = sorted(in_row, key=lambda each: (abs(each - bit), each))[:count]
    others = seats.chosen ^ beside << row.start
    while len(found) < count and (best := seats.layout.ranking.first(others)) is not None:
        found.append(best)
        others ^= 1 << best
    return found
