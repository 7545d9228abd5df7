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
    """A row, by its name such as A-12: its first bit in the section, and its seats from there on."""

    name: str
    start: int
    shape: RowShape


class CategorySeats(NamedTuple):
    """The bits of a category's seats: ordinary ones, those for wheelchairs and companions, and all of them."""

    ordinary: int
    accessible: int
    every: int


class SectionLayout:
    """The seats of a section in one plan. ``seats`` has the bits of all, ``wheelchair`` of the places for wheelchairs.

    ``categories`` has the bits by the number of the ticket type's id, ``size`` the number of seats.
    """

    __slots__ = (
        "_category_numbers",
        "_ids",
        "_rows",
        "_seats_by_row",
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
        layouts, placed = _place(name, rows)
        self._rows = layouts
        self._seats_by_row = {row.name: (row.start, row.shape.bits) for row in layouts}
        self._starts = [row.start for row in layouts]
        self.size = len(placed)
        self.seats = _bits(place.bit for place in placed)
        self.wheelchair = _bits(place.bit for place in placed if place.flags & _WHEELCHAIR)
        self._ids = tuple(categories)
        self._category_numbers = bytearray(placed[-1].bit + 1 if placed else 0)
        for place in placed:
            self._category_numbers[place.bit] = place.category
        self.categories = {
            each.int: _category_seats([place for place in placed if place.category == number])
            for number, each in enumerate(categories)
        }
        distances = [((place.x - focal[0]) ** 2 + (place.y - focal[1]) ** 2, place.bit) for place in placed]
        self.ranking = Ranking([bit for _, bit in sorted(distances)])

    def find(self, names: Iterable[str]) -> tuple[int, list[str]]:
        """The bits of the seats of these names, and the names that the section doesn't have."""
        bits = 0
        lacking: list[str] = []
        for name in names:
            row, _, label = name.rpartition(SEPARATOR)
            try:
                start, seats = self._seats_by_row[row]
                bits |= 1 << start + seats[label]
            except KeyError:
                lacking.append(name)
        return bits, lacking

    def category_of(self, bit: int) -> UUID:
        """The category of a seat."""
        return self._ids[self._category_numbers[bit]]

    def name_of(self, bit: int) -> str:
        """The name of the seat of a bit."""
        return self.run_names(bit, 1)[0]

    def run_names(self, first: int, count: int) -> tuple[str, ...]:
        """The names of adjacent seats from a bit on."""
        row = self.row_of(first)
        begin, at = row.name + SEPARATOR, first - row.start
        return tuple([begin + label for label in row.shape.labels[at : at + count]])

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
                begin = row.name + SEPARATOR
            names.append(begin + labels[bit - start])
        return names


class _Place(NamedTuple):
    bit: int
    category: int
    x: int
    y: int
    flags: int


def _place(section: str, rows: Iterable[PlanRow]) -> tuple[list[RowLayout], list[_Place]]:
    """Of rows or seats with the same label the first counts, so that a name is one bit."""
    shapes: dict[tuple[str, ...], RowShape] = {}
    layouts: list[RowLayout] = []
    placed: list[_Place] = []
    start = 0
    known_rows: set[str] = set()
    for row in rows:
        if row.label in known_rows:
            continue
        known_rows.add(row.label)
        labels: list[str] = []
        known: set[str] = set()
        for seat in row.seats:
            if seat.label in known:
                continue
            known.add(seat.label)
            if labels and seat.flags & _AISLE_BEFORE:
                labels.append("")
            placed.append(_Place(start + len(labels), seat.category, seat.x, seat.y, seat.flags))
            labels.append(seat.label)
        key = tuple(labels)
        if key not in shapes:
            shapes[key] = RowShape(key, {label: bit for bit, label in enumerate(key) if label})
        layouts.append(RowLayout(section + SEPARATOR + row.label, start, shapes[key]))
        start += len(labels) + 1
    return layouts, placed


def _category_seats(places: Sequence[_Place]) -> CategorySeats:
    ordinary = _bits(place.bit for place in places if not place.flags & _ACCESSIBLE)
    accessible = _bits(place.bit for place in places if place.flags & _ACCESSIBLE)
    return CategorySeats(ordinary, accessible, ordinary | accessible)


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
