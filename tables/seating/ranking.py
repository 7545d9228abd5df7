"""The seats of a section in the order of their distance to the focal point, and the first of some seats of a row."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

# Behind every seat's place in the order.
NO_RANK: Final = 2**32 - 1
_BIT_MASK: Final = 2**24 - 1

# Seats of a row as bits, counted from the row's first one: up to the one that comes first in the order, and behind it.
# To both sides of it the seats come later and later.
Valley = tuple[int, int]


def distance_key(x: int, y: int, bit: int) -> int:
    """Sorts seats by their distance (x, y) to the focal point, those of the same distance by their bit."""
    return x * x + y * y << 24 | bit


class SeatOrder:
    """The order of the seats of a section whose rows begin at the bits ``starts``.

    ``bits`` has the bit of each seat by its rank, ``ranks`` those of each row by bit. A row has one of the ``valleys``,
    unless it is drawn in an odd way.
    """

    __slots__ = ("bits", "ranks", "starts", "valleys")

    def __init__(self, starts: Sequence[int], distance_keys: Iterable[int], end: int) -> None:
        self.starts = starts
        self.bits = array("I", [key & _BIT_MASK for key in sorted(distance_keys)])
        ranks = array("I", [NO_RANK]) * end
        for rank, bit in enumerate(self.bits):
            ranks[bit] = rank
        self.ranks = [ranks[first:last] for first, last in pairwise([*starts, end])]
        self.valleys = [_valleys(row) for row in self.ranks]

    def first(self, row: int, bits: int) -> int:
        """The rank of the first one of some seats of the row of that number; NO_RANK if there are none."""
        best, ranks = NO_RANK, self.ranks[row]
        for near, far in self.valleys[row]:
            if (found := bits & near) and (rank := ranks[found.bit_length() - 1]) < best:
                best = rank
            if (found := bits & far) and (rank := ranks[(found & -found).bit_length() - 1]) < best:
                best = rank
        return best


def _valleys(ranks: Iterable[int]) -> list[Valley]:
    """The valleys of a row by the ranks of its bits, NO_RANK where no seat is."""
    found: list[Valley] = []
    begin = lowest = end = 0
    before = NO_RANK
    is_falling = True
    for bit, rank in enumerate(ranks):
        if rank == NO_RANK:
            continue
        if rank > before:
            is_falling = False
        elif is_falling:
            lowest = bit
        else:
            found.append(_valley(begin, lowest, end))
            begin = lowest = bit
            is_falling = True
        before, end = rank, bit + 1
    found.append(_valley(begin, lowest, end))
    return found


def _valley(begin: int, lowest: int, end: int) -> Valley:
    return (2 << lowest) - (1 << begin), (1 << end) - (2 << lowest)
