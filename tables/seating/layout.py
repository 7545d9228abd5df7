"""One section of a plan as bits: a seat is a bit, adjacent seats of a row are adjacent bits.

Between rows, and where a row has an aisle, one bit belongs to no seat. So a run of free seats is a run of ones, and
never goes from one row to the next.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from tables.messages.sections import PlanRow, SeatFlags
from tables.seating.ranking import Ranking

SEPARATOR: Final = "-"
# Python's flags are ten times as slow as numbers.
_WHEELCHAIR: Final = int(SeatFlags.WHEELCHAIR)
_ACCESSIBLE: Final = int(SeatFlags.WHEELCHAIR | SeatFlags.COMPANION)
_AISLE_BEFORE: Final = int(SeatFlags.AISLE_BEFORE)


class RowShape(NamedTuple):
    """The labels of a row by bit, "" where no seat is, and the bit of each label; rows with the same seats share it."""

    labels: tuple[str, ...]
    bits: dict[str, int]


class RowLayout(NamedTuple):
    """A row: its first bit in the section, and its seats from there on."""

    label: str
    start: int
    shape: RowShape


class CategorySeats(NamedTuple):
    """The bits of a category's seats: ordinary ones, and those for wheelchairs and companions."""

    ordinary: int
    accessible: int


class SectionLayout:
    """The seats of a section in one plan. ``seats`` has the bits of all, ``wheelchair`` of the places for wheelchairs.

    ``categories`` has the bits by the number of the ticket type's id, ``size`` the number of seats.
    """

    __slots__ = (
        "_by_label",
        "_category_numbers",
        "_ids",
        "_rows",
        "_starts",
        "categories",
        "name",
        "plan",
        "ranking",
        "seats",
        "size",
        "wheelchair",
    )

    def __init__(
        self, name: str, plan: int, categories: Sequence[UUID], focal: tuple[int, int], rows: Iterable[PlanRow]
    ) -> None:
        self.name = name
        self.plan = plan
        layouts, placed = _place(rows)
        self._rows = layouts
        self._by_label = {row.label: row for row in layouts}
        self._starts = [row.start for row in layouts]
        self.size = len(placed)
        self.seats = _bits(place.bit for place in placed)
        self.wheelchair = _bits(place.bit for place in placed if place.flags & _WHEELCHAIR)
        self._ids = tuple(categories)
        self._category_numbers = bytearray(placed[-1].bit + 1 if placed else 0)
        for place in placed:
            self._category_numbers[place.bit] = place.category
        self.categories = {
            each.int: CategorySeats(
                _bits(p.bit for p in placed if p.category == number and not p.flags & _ACCESSIBLE),
                _bits(p.bit for p in placed if p.category == number and p.flags & _ACCESSIBLE),
            )
            for number, each in enumerate(categories)
        }
        distances = [((place.x - focal[0]) ** 2 + (place.y - focal[1]) ** 2, place.bit) for place in placed]
        self.ranking = Ranking([bit for _, bit in sorted(distances)])

    def bit_of(self, name: str) -> int | None:
        """The bit of the seat of that name; None if the section has no such seat."""
        _, _, rest = name.partition(SEPARATOR)
        row, _, seat = rest.partition(SEPARATOR)
        found = self._by_label.get(row)
        bit = None if found is None else found.shape.bits.get(seat)
        return None if bit is None or found is None else found.start + bit

    def category_of(self, bit: int) -> UUID:
        """The category of a seat."""
        return self._ids[self._category_numbers[bit]]

    def name_of(self, bit: int) -> str:
        """The name of the seat of a bit."""
        row = self.row_of(bit)
        return SEPARATOR.join((self.name, row.label, row.shape.labels[bit - row.start]))

    def row_of(self, bit: int) -> RowLayout:
        """The row of a seat's bit."""
        return self._rows[bisect_right(self._starts, bit) - 1]

    def names_of(self, bits: int) -> list[str]:
        """The names of the seats of these bits, in the section's order."""
        names: list[str] = []
        start = end = 0
        for bit in positions(bits):
            if bit >= end:
                row = self.row_of(bit)
                labels, start = row.shape.labels, row.start
                end = start + len(labels)
                begin = f"{self.name}{SEPARATOR}{row.label}{SEPARATOR}"
            names.append(begin + labels[bit - start])
        return names


class _Place(NamedTuple):
    bit: int
    category: int
    x: int
    y: int
    flags: int


def _place(rows: Iterable[PlanRow]) -> tuple[list[RowLayout], list[_Place]]:
    shapes: dict[tuple[str, ...], RowShape] = {}
    layouts: list[RowLayout] = []
    placed: list[_Place] = []
    start = 0
    for row in rows:
        labels: list[str] = []
        for seat in row.seats:
            if labels and seat.flags & _AISLE_BEFORE:
                labels.append("")
            placed.append(_Place(start + len(labels), seat.category, seat.x, seat.y, seat.flags))
            labels.append(seat.label)
        key = tuple(labels)
        if key not in shapes:
            shapes[key] = RowShape(key, {label: bit for bit, label in enumerate(key) if label})
        layouts.append(RowLayout(row.label, start, shapes[key]))
        start += len(labels) + 1
    return layouts, placed


def section_of(name: str) -> str:
    """The section in a seat's name."""
    return name.partition(SEPARATOR)[0]


def _bits(places: Iterable[int]) -> int:
    chosen = array("I", places)
    if not chosen:
        return 0
    content = bytearray(max(chosen) // 8 + 1)
    for place in chosen:
        content[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(content, "little")


def positions(bits: int) -> list[int]:
    """The numbers of the bits that are set, in ascending order."""
    if not bits:
        return []
    found = []
    base = (bits ^ bits - 1).bit_length() - 1
    bits >>= base
    for byte in bits.to_bytes((bits.bit_length() + 7) // 8, "little"):
        if byte:
            found += [base + bit for bit in range(8) if byte >> bit & 1]
        base += 8
    return found
