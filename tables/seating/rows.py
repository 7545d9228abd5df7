"""The bits of a section by row, where those of a row are counted from its first one.

Work on the bits of a row costs the same in a section of any size.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

# The number of a row, and bits of it.
RowBits = tuple[int, int]


def rows_with(starts: Sequence[int], bits: int) -> list[RowBits]:
    """The rows that have some of the bits, the last one first; ``starts`` has the first bit of each row."""
    found: list[RowBits] = []
    while bits:
        row = bisect_right(starts, bits.bit_length() - 1) - 1
        here = bits >> starts[row]
        bits ^= here << starts[row]
        found.append((row, here))
    return found


def by_row(starts: Sequence[int], bits: int) -> list[int]:
    """The bits of each row."""
    found = [0] * len(starts)
    for row, here in rows_with(starts, bits):
        found[row] = here
    return found


def joined(starts: Sequence[int], rows: Iterable[RowBits]) -> int:
    """The bits in the section."""
    bits = 0
    for row, here in rows:
        bits |= here << starts[row]
    return bits
