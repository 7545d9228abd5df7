"""The sections of a hall's plan, as the log has them: in pieces of whole rows that each fit a record."""

from enum import IntFlag
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from tables.messages.field_types import Text

SECTIONS_MAX: Final = 500
SECTION_MAX_SEATS: Final = 10_000
ROW_MAX_SEATS: Final = 500
SECTION_MAX_PIECES: Final = 50
COORDINATE_MAX: Final = 100_000
ORDER_MAX_SEATS: Final = 500

# Neither the separator of a seat's name nor a control character.
_LABEL: Final = r"^[^\x00-\x1f\x7f-\x9f-]+\Z"
Label = Annotated[str, Meta(min_length=1, max_length=7, pattern=_LABEL)]
SectionName = Annotated[str, Meta(min_length=1, max_length=16, pattern=_LABEL)]
# Section, row and seat, as in A-12-7.
SeatName = Annotated[str, Meta(min_length=5, max_length=32, pattern=r"^[^\x00]*\Z")]
Coordinate = Annotated[int, Meta(ge=0, le=COORDINATE_MAX)]
PlanNumber = Annotated[int, Meta(ge=1, le=2**62)]


class SeatFlags(IntFlag):
    """What is special about a seat. AISLE_BEFORE: it and the seat before it in its row are not adjacent."""

    WHEELCHAIR = 1
    COMPANION = 2
    OBSTRUCTED = 4
    AISLE_BEFORE = 8


class PlanSeat(Struct, frozen=True, array_like=True, gc=False):
    """A seat: its label in the row, its category as an index into the section's list, its place on the drawing."""

    label: Label
    category: Annotated[int, Meta(ge=0, lt=200)]
    x: Coordinate
    y: Coordinate
    flags: Annotated[int, Meta(ge=0, le=15)] = 0


class PlanRow(Struct, frozen=True, array_like=True):
    """A row of seats, from one end to the other."""

    label: Label
    seats: Annotated[list[PlanSeat], Meta(min_length=1, max_length=ROW_MAX_SEATS)]


class DefineSection(
    Struct, frozen=True, kw_only=True, tag_field="kind", tag="define-section", rename="camel", omit_defaults=True
):
    """The ``part``-th of ``parts`` pieces of a section in plan number ``plan`` of an event.

    The pieces come before the definition that names the plan; if one comes again, the first one counts. The plan has
    ``sections`` of them; ``number`` is the section's place among them, from 0 on. ``categories`` are ticket types. Best
    available is what is nearest to ``focal``, a point (x, y) of the drawing. A section without rows is general
    admission: tickets of its category are only counted.
    """

    event: UUID
    plan: PlanNumber
    sections: Annotated[int, Meta(ge=1, le=SECTIONS_MAX)]
    number: Annotated[int, Meta(ge=0, lt=SECTIONS_MAX)]
    section: SectionName
    title: Text = ""
    focal: tuple[Coordinate, Coordinate] = (0, 0)
    categories: Annotated[list[UUID], Meta(min_length=1, max_length=200)]
    part: Annotated[int, Meta(ge=0, lt=SECTION_MAX_PIECES)] = 0
    parts: Annotated[int, Meta(ge=1, le=SECTION_MAX_PIECES)] = 1
    rows: list[PlanRow] = []

    def __post_init__(self) -> None:
        if self.number >= self.sections or self.part >= self.parts:
            raise ValueError("number must be below sections, and part below parts")
        if sum([len(row.seats) for row in self.rows]) > SECTION_MAX_SEATS:
            raise ValueError(f"section {self.section} has more than {SECTION_MAX_SEATS} seats")
        for row in self.rows:
            if max([seat.category for seat in row.seats]) >= len(self.categories):
                raise ValueError(f"row {row.label} of section {self.section} has a category that is not listed")


class BestAvailable(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The best seats that are free (docs/seats.md): adjacent ones if ``together``.

    ``accessible``: at least one of them for a wheelchair, the others for companions. ``section``: only there.
    """

    together: bool = True
    accessible: bool = False
    section: SectionName | None = None
