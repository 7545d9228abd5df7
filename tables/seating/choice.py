"""The best of the free seats of some sections: adjacent ones, or as few groups of them as there can be."""

from collections.abc import Iterator, Sequence

from tables.seating.best_available import FreeSeats, best_run, longest_run, run_starts

# A section's place among those that were asked, and the bits of the seats chosen in it.
Chosen = tuple[int, int]


def choose(sections: Sequence[FreeSeats], count: int, *, together: bool) -> list[Chosen]:
    """The best ``count`` seats; empty if there are none.

    The first section that has a run without leaving an orphan gives it, or else the first that has a run at all. Unless
    ``together``, groups follow if no section has a run: the longest ones that there are, all from one section if one
    alone has enough seats.
    """
    for orphans in (False, True):
        for number, seats in enumerate(sections):
            if run := best_run(seats, count, orphans=orphans):
                return [(number, run)]
    return [] if together else _scattered(sections, count)


def longest(sections: Sequence[FreeSeats], count: int) -> int:
    """The largest number of seats below ``count`` that one can get together."""
    return max((_longest(seats, count) for seats in sections), default=0)


def _longest(seats: FreeSeats, count: int) -> int:
    if seats.required is None:
        return longest_run(seats.chosen)
    sizes = range(min(count - 1, longest_run(seats.chosen)), 0, -1)
    return next((size for size in sizes if best_run(seats, size, orphans=True)), 0)


def _scattered(sections: Sequence[FreeSeats], count: int) -> list[Chosen]:
    sizes = [seats.chosen.bit_count() for seats in sections]
    if sum(sizes) < count:
        return []
    enough = [number for number, size in enumerate(sizes) if size >= count]
    found: list[Chosen] = []
    for number in enough[:1] or range(len(sections)):
        for group in _groups(sections[number], count):
            found.append((number, group))
            count -= group.bit_count()
    return found


def _groups(seats: FreeSeats, count: int) -> Iterator[int]:
    """The seats of one section in the longest runs, at most ``count``."""
    size = count
    while seats.chosen and count:
        size = min(size, count)
        if not run_starts(seats.chosen, size):
            size = longest_run(seats.chosen)
        group = best_run(seats, size, orphans=False) or best_run(seats, size, orphans=True)
        yield group
        count -= size
        seats = seats._replace(free=seats.free ^ group, chosen=seats.chosen ^ group)
