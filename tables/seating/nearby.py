"""The free seats that are offered instead of one that is taken."""

from tables.seating.best_available import FreeSeats
from tables.seating.layout import positions


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
