"""Which of the free seats of a section are the best: by operations on all bits of the section at once."""

from typing import NamedTuple
from uuid import UUID

from tables.seating.layout import SectionLayout


class FreeSeats(NamedTuple):
    """A section's bits: ``free`` seats of every category, and those of them that may be ``chosen``.

    Of the chosen ones at least one must be in ``required``, unless that is None.
    """

    layout: SectionLayout
    free: int
    chosen: int
    required: int | None = None


def free_seats(layout: SectionLayout, free: int, category: UUID, *, accessible: bool) -> FreeSeats:
    """The free seats of a category from which best available chooses.

    Those for wheelchairs and companions are left to buyers who ask for accessible ones.
    """
    seats = layout.categories.get(category.int)
    if seats is None:
        return FreeSeats(layout, free, 0)
    if accessible:
        return FreeSeats(layout, free, free & seats.accessible, layout.wheelchair)
    return FreeSeats(layout, free, free & seats.ordinary)


def run_starts(bits: int, count: int) -> int:
    """The bits at which ``count`` set bits follow each other, itself included."""
    have = 1
    while have < count:
        step = min(have, count - have)
        bits &= bits >> step
        have += step
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


def best_run(seats: FreeSeats, count: int, *, orphans: bool) -> int | None:
    """The first bit of the best ``count`` adjacent seats; None if there are none.

    The best is the run whose middle seat (of two the first) is nearest to the focal point; the first row and seat break
    a tie. Unless ``orphans``, it leaves no free seat beside it alone that was not alone before.
    """
    starts = run_starts(seats.chosen, count)
    if seats.required is not None and starts:
        starts &= _any_within(seats.required, count)
    if starts and not orphans:
        starts ^= starts & _orphaning(seats.free, count)
    if not starts:
        return None
    middle = (count - 1) // 2
    found = seats.layout.ranking.first(starts << middle if middle else starts)
    return None if found is None else found - middle


def _orphaning(free: int, count: int) -> int:
    """Where a run of ``count`` begins that leaves the seat before or behind it free and without a free neighbour."""
    pairs = free & free >> 1
    firsts = free ^ pairs << 1
    lasts = free ^ pairs
    return firsts << 1 | lasts >> count


def _any_within(bits: int, count: int) -> int:
    """The bits from which on at least one of ``count`` bits is set."""
    have = 1
    while have < count:
        step = min(have, count - have)
        bits |= bits >> step
        have += step
    return bits
