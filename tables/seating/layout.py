"""One section of a plan as bits: a seat is a bit, adjacent seats of a row are adjacent bits.

Between rows, and where a row has an aisle, one bit belongs to no seat. So a run of free seats is a run of ones, and
never goes from one row to the next.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from tables.messages.sections import PlanRow, SeatFlags
from tables.seating.best_available import SeatPool
from tables.seating.ranking import SeatOrder, distance_key
from tables.seating.rows import RowBits, by_row, joined

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


NO_SEATS: Final = CategorySeats(0, 0, 0)


class SectionLayout:
    """The seats of a section in one plan. ``seats`` has the bits of all, ``wheelchair`` of the places for wheelchairs.

    ``categories`` has the bits by the number of the ticket type's id, ``size`` is the number of seats, ``starts`` has
    the first bit of each row.
    """

    __slots__ = (
        "_category_marks",
        "_category_rows",
        "_distance_keys",
        "_ids",
        "_order",
        "_pools",
        "_rows",
        "_seats_by_row",
        "categories",
        "name",
        "plan",
        "seats",
        "size",
        "starts",
        "wheelchair",
    )

    def __init__(
        self, name: str, plan: int, categories: Sequence[UUID], focal: tuple[int, int], rows: Iterable[PlanRow]
    ) -> None:
        self.name = name
        self.plan = plan
        placed = _place(name, focal, rows)
        self._rows = placed.rows
        self._seats_by_row = {row.name: (number, row.shape.bits) for number, row in enumerate(placed.rows)}
        self.starts = [row.start for row in placed.rows]
        self._ids = tuple(categories)
        self._category_marks = bytes(placed.categories)
        self._distance_keys: Collection[int] = placed.distance_keys
        self.size = len(placed.distance_keys)
        self.seats = _bits(self._category_marks, range(1, 256))
        self.wheelchair = _bits(placed.flags, (_WHEELCHAIR, _ACCESSIBLE))
        accessible = _bits(placed.flags, range(1, 256))
        self.categories: dict[int, CategorySeats] = {}
        for number, each in enumerate(categories):
            every = _bits(self._category_marks, (number + 1,))
            self.categories[each.int] = CategorySeats(every ^ every & accessible, every & accessible, every)
        self._order: SeatOrder | None = None
        # By the number of the category's id, for the accessible ones with all its bits inverted.
        self._pools: dict[int, SeatPool] = {}
        self._category_rows: dict[int, list[int]] = {}

    def pool(self, category: UUID, *, accessible: bool) -> SeatPool:
        """The seats of a category among which the best are chosen.

        Those for wheelchairs and companions are left to buyers who ask for accessible ones.
        """
        key = ~category.int if accessible else category.int
        return self._pools.get(key) or self._add_pool(category, accessible=accessible)

    def find(self, names: Sequence[str]) -> tuple[int, list[str]]:
        """The bits of the seats of these names, and the names that the section doesn't have."""
        bits = self.bits_of(names)
        if bits or not names:
            return bits, []
        lacking: list[str] = []
        for name in names:
            bit = self.bits_of((name,))
            bits |= bit
            if not bit:
                lacking.append(name)
        return bits, lacking

    def bits_of(self, names: Iterable[str], category: UUID | None = None) -> int:
        """The bits of the seats of these names; 0 if the section doesn't have one of them, in the category if given."""
        return joined(self.starts, self.rows_of(names, category))

    def rows_of(self, names: Iterable[str], category: UUID | None = None) -> list[RowBits]:
        """The same by row, where a row may come more than once."""
        seats_by_row = self._seats_by_row
        found: list[RowBits] = []
        # Of the last name.
        known, number, bits = "", 0, 0
        seats: dict[str, int] = {}
        try:
            for name in names:
                row, _, label = name.rpartition(SEPARATOR)
                if row != known:
                    if bits:
                        found.append((number, bits))
                        bits = 0
                    number, seats = seats_by_row[row]
                    known = row
                bits |= 1 << seats[label]
        except KeyError:
            return []
        if bits:
            found.append((number, bits))
        if category is not None and (len(self._ids) > 1 or category.int not in self.categories):
            rows = self._category_rows.get(category.int) or self._split_category(category)
            if [number for number, bits in found if bits & rows[number] != bits]:
                return []
        return found

    def category_of(self, bit: int) -> UUID:
        return self._ids[self._category_marks[bit] - 1]

    def name_of(self, bit: int) -> str:
        return self.run_names(bit, 1)[0]

    def run_names(self, first: int, count: int) -> tuple[str, ...]:
        """The names of adjacent seats from a bit on."""
        row = bisect_right(self.starts, first) - 1
        return self.names_in(row, first - self.starts[row], count)

    def names_in(self, row: int, at: int, count: int) -> tuple[str, ...]:
        """The names of adjacent seats from the bit ``at`` of a row on."""
        name, _, shape = self._rows[row]
        return tuple([f"{name}{SEPARATOR}{label}" for label in shape.labels[at : at + count]])

    def row_of(self, bit: int) -> RowLayout:
        """The row of a seat's bit."""
        return self._rows[bisect_right(self.starts, bit) - 1]

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

    def _split_category(self, category: UUID) -> list[int]:
        """The bits of a category's seats, by row."""
        every = self.categories.get(category.int, NO_SEATS).every
        rows = self._category_rows[category.int] = by_row(self.starts, every)
        return rows

    def _add_pool(self, category: UUID, *, accessible: bool) -> SeatPool:
        if self._order is None:
            self._order = SeatOrder(self.starts, self._distance_keys, len(self._category_marks))
            self._distance_keys = ()
        seats = self.categories.get(category.int, NO_SEATS)
        required = self.wheelchair if accessible else None
        pool = SeatPool(self._order, seats.accessible if accessible else seats.ordinary, required)
        self._pools[~category.int if accessible else category.int] = pool
        return pool


class _Placed(NamedTuple):
    """The seats of a section: their flags and the numbers of their categories by bit, where 0 means no seat."""

    rows: list[RowLayout]
    categories: bytearray
    flags: bytearray
    distance_keys: Collection[int]


def _place(section: str, focal: tuple[int, int], rows: Iterable[PlanRow]) -> _Placed:
    """Of rows or seats with the same label the first counts, so that a name is one bit."""
    shapes: dict[tuple[str, ...], RowShape] = {}
    layouts: list[RowLayout] = []
    categories, all_flags, keys = bytearray(), bytearray(), array("q")
    focal_x, focal_y = focal
    known_rows: set[str] = set()
    for row in rows:
        if row.label in known_rows:
            continue
        known_rows.add(row.label)
        start = len(categories)
        labels: list[str] = []
        bits: dict[str, int] = {}
        for seat in row.seats:
            label, flags = seat.label, seat.flags
            if label in bits:
                continue
            if flags & _AISLE_BEFORE and labels:
                labels.append("")
                categories.append(0)
                all_flags.append(0)
            bits[label] = len(labels)
            keys.append(distance_key(seat.x - focal_x, seat.y - focal_y, len(categories)))
            labels.append(label)
            categories.append(seat.category + 1)
            all_flags.append(flags & _ACCESSIBLE)
        categories.append(0)
        all_flags.append(0)
        shape = RowShape(tuple(labels), bits)
        layouts.append(RowLayout(section + SEPARATOR + row.label, start, shapes.setdefault(shape.labels, shape)))
    return _Placed(layouts, categories, all_flags, keys)


def section_of(name: str) -> str:
    """The section in a seat's name."""
    return name.partition(SEPARATOR)[0]


def _bits(marks: bytes | bytearray, chosen: range | tuple[int, ...]) -> int:
    """The bits whose marks are among those ``chosen``."""
    digits = marks.translate(_digits_by_mark(chosen))
    return int(digits[::-1], 2) if digits else 0


@lru_cache(maxsize=256)
def _digits_by_mark(chosen: range | tuple[int, ...]) -> bytes:
    return bytes([ord("1") if mark in chosen else ord("0") for mark in range(256)])


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
