"""The plan of a hall as it is made and checked, and the pieces in which it travels."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.messages.sections import (
    SECTION_MAX_SEATS,
    SECTIONS_MAX,
    DefineSection,
    PlanRow,
    SeatFlags,
)
from tables.seating.plan_faults import InvalidPlan, PlanFault

HALL_MAX_SEATS: Final = 100_000
# Leaves room for the other fields in a record of at most 200 kB.
PIECE_MAX_ROW_BYTES: Final = 190_000

_encode = msgspec.json.encode


class HallSection(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A whole section: seated with ``rows``, or general admission with one category and without rows."""

    name: str
    title: str = ""
    focal: tuple[int, int] = (0, 0)
    categories: list[UUID]
    rows: list[PlanRow] = []

    @property
    def seats(self) -> int:
        """The number of seats."""
        return sum(len(row.seats) for row in self.rows)


def pieces_of(event: UUID, plan: int, sections: Sequence[HallSection]) -> Iterator[DefineSection]:
    """The pieces of plan number ``plan``, in the order of its sections; each fits a record."""
    for number, section in enumerate(sections):
        parts = list(_split(section.rows)) or [[]]
        for part, rows in enumerate(parts):
            yield DefineSection(
                event=event,
                plan=plan,
                sections=len(sections),
                number=number,
                section=section.name,
                title=section.title,
                focal=section.focal,
                categories=section.categories,
                part=part,
                parts=len(parts),
                rows=rows,
            )


def _split(rows: Iterable[PlanRow]) -> Iterator[list[PlanRow]]:
    chosen: list[PlanRow] = []
    size = 0
    for row in rows:
        grown = size + len(_encode(row)) + 1
        if chosen and grown > PIECE_MAX_ROW_BYTES:
            yield chosen
            chosen, grown = [], len(_encode(row)) + 1
        chosen.append(row)
        size = grown
    if chosen:
        yield chosen


def check_hall(sections: Sequence[HallSection], ticket_types: Collection[UUID]) -> None:
    """Raise InvalidPlan, which names the section, row or seat, for a plan that can't be sold by these ticket types."""
    if not 1 <= len(sections) <= SECTIONS_MAX:
        raise InvalidPlan(PlanFault.SECTION_COUNT, count=len(sections), limit=SECTIONS_MAX)
    if twice := _twice(section.name for section in sections):
        raise InvalidPlan(PlanFault.SECTION_TWICE, name=twice)
    seats = sum(section.seats for section in sections)
    if seats > HALL_MAX_SEATS:
        raise InvalidPlan(PlanFault.HALL_TOO_LARGE, count=seats, limit=HALL_MAX_SEATS)
    for section in sections:
        _check_section(section, ticket_types)
    for category in sorted(_sold(sections, seated=True) & _sold(sections, seated=False), key=str):
        raise InvalidPlan(PlanFault.SOLD_BOTH_WAYS, category=category)


def _sold(sections: Iterable[HallSection], *, seated: bool) -> set[UUID]:
    return {category for section in sections if bool(section.rows) is seated for category in section.categories}


def _check_section(section: HallSection, ticket_types: Collection[UUID]) -> None:
    name = section.name
    for category in section.categories:
        if category not in ticket_types:
            raise InvalidPlan(PlanFault.UNKNOWN_CATEGORY, name=name, category=category)
    if not section.rows and len(section.categories) != 1:
        raise InvalidPlan(PlanFault.SEVERAL_CATEGORIES, name=name)
    if section.seats > SECTION_MAX_SEATS:
        raise InvalidPlan(PlanFault.SECTION_TOO_LARGE, name=name, count=section.seats, limit=SECTION_MAX_SEATS)
    if twice := _twice(row.label for row in section.rows):
        raise InvalidPlan(PlanFault.ROW_TWICE, name=name, row=twice)
    for row in section.rows:
        _check_row(section, row)


def _check_row(section: HallSection, row: PlanRow) -> None:
    if twice := _twice(seat.label for seat in row.seats):
        raise InvalidPlan(PlanFault.SEAT_TWICE, seat=f"{section.name}-{row.label}-{twice}")
    for seat in row.seats:
        name = f"{section.name}-{row.label}-{seat.label}"
        if seat.category >= len(section.categories):
            raise InvalidPlan(PlanFault.UNLISTED_CATEGORY, seat=name, number=seat.category)
        if seat.flags & SeatFlags.WHEELCHAIR and seat.flags & SeatFlags.COMPANION:
            raise InvalidPlan(PlanFault.TWO_KINDS, seat=name)


def _twice(labels: Iterable[str]) -> str | None:
    return next((label for label, count in Counter(labels).items() if count > 1), None)
