"""Seating plans: the bodies that make them, and what is shown of them."""

from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Parameters, Resource
from api.schemas.fields import WHOLE, Title
from tables.messages.sections import COORDINATE_MAX, ROW_MAX_SEATS, SECTION_MAX_SEATS, SECTIONS_MAX

DRAWING_MAX_BYTES: Final = 2 * 1024 * 1024

# A seat is called SECTION-ROW-SEAT, in lists with commas between. Names have no blanks, and nothing that is not seen or
# turns the text beside it.
_LETTER: Final = r"[^\s,\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff-]"
SECTION_PATTERN: Final = f"^{_LETTER}{{1,16}}$"
SectionName = Annotated[str, StringConstraints(pattern=SECTION_PATTERN)]
LABEL_PATTERN: Final = f"^{_LETTER}{{1,7}}$"
Label = Annotated[str, StringConstraints(pattern=LABEL_PATTERN)]
Coordinate = Annotated[int, Field(strict=True, ge=0, le=COORDINATE_MAX), WHOLE]
SEAT_WIDTH: Final = 10
SeatKind = Literal["standard", "wheelchair", "companion"]


class Place(Body):
    """A place on the drawing; a seat is about 10 wide, and y grows downwards."""

    x: Coordinate
    y: Coordinate


class SeatOnPlan(Body):
    """A seat. Between it and the seat before it is an aisle if ``gapBefore``."""

    label: Label
    x: Coordinate
    y: Coordinate
    category: UUID | None = Field(None, description="a ticket type of the event; by default that of the section")
    kind: SeatKind = "standard"
    obstructed: bool = Field(False, strict=True, description="something is in the way of the view")
    gap_before: bool = Field(False, strict=True)


class RowOnPlan(Body):
    """A row: its seats from left to right."""

    label: Label
    seats: list[SeatOnPlan] = Field(min_length=1, max_length=ROW_MAX_SEATS, fail_fast=True)


class SectionOnPlan(Body):
    """A section with rows, or one of general admission without.

    ``focus`` is what its seats look at: the best available ones are the nearest to it. By default the middle of
    the side with the least y.
    """

    name: SectionName
    title: Title | None = None
    category: UUID
    focus: Place | None = None
    rows: list[RowOnPlan] = Field(default_factory=list, max_length=1_000, fail_fast=True)


class NewSeating(Body):
    """A seating plan. No section, and no seat of a section, has the same name as another.

    Of each section only the first wrong seat is told: to name millions would take gigabytes.
    """

    sections: list[SectionOnPlan] = Field(min_length=1, max_length=SECTIONS_MAX)


Numbering = Literal["all", "odd", "even"]
Count = Annotated[int, Field(strict=True, ge=1, le=ROW_MAX_SEATS), WHOLE]


class GeneratedSection(Body):
    """A rectangle of seats: ``rows`` times ``seatsPerRow``, with an aisle after each of ``aislesAfter``.

    Seats are numbered 1, 2, 3 …, or by odd or even numbers alone, ``numberedFrom`` the left or the right; rows by
    letters (A to Z, AA …) or numbers, the first one nearest to the stage. ``x`` and ``y`` are the place of its corner.
    ``wheelchairs`` places with a companion's beside them are at both ends of the last row.
    """

    name: SectionName
    title: Title | None = None
    category: UUID
    rows: Count
    seats_per_row: Count
    aisles_after: list[Count] = Field(default_factory=list, max_length=20)
    numbering: Numbering = "all"
    numbered_from: Literal["left", "right"] = "left"
    rows_by: Literal["letters", "numbers"] = "letters"
    x: Coordinate = 0
    y: Coordinate = 0
    wheelchairs: Annotated[int, Field(strict=True, ge=0, le=100), WHOLE] = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.rows * self.seats_per_row > SECTION_MAX_SEATS:
            raise PydanticCustomError("too_many_seats", f"a section has at most {SECTION_MAX_SEATS} seats")
        if self.wheelchairs * 2 > self.seats_per_row:
            raise PydanticCustomError("no_room", "the last row has no room for so many wheelchairs and companions")
        across = self.seats_per_row - 1 + len(set(self.aisles_after))
        if max(self.x + across * SEAT_WIDTH, self.y + (self.rows - 1) * SEAT_WIDTH) > COORDINATE_MAX:
            raise PydanticCustomError(
                "off_the_drawing", f"the section reaches beyond {COORDINATE_MAX}, where the drawing ends"
            )
        return self


class GeneralSection(Body):
    """A section of general admission."""

    name: SectionName
    title: Title | None = None
    category: UUID


class SeatingGenerator(Body):
    """Sections to generate, and sections of general admission beside them."""

    sections: list[GeneratedSection] = Field(min_length=1, max_length=SECTIONS_MAX)
    general: list[GeneralSection] = Field(default_factory=list, max_length=SECTIONS_MAX)


class SeatingCopy(Body):
    """Another event of the same organizer, whose plan is copied; categories are found by their names."""

    copy_from: UUID


class SectionDrawing(Body):
    """A section as an SVG drawing, which is not kept: only names and places of its seats are read.

    A seat is a ``circle``, ``ellipse`` or ``rect`` with ``data-seat="ROW-SEAT"``, or with such an ``id`` if there is
    no ``data-seat`` in the drawing, and without ``transform``. Seats that the section had keep ticket type, kind and
    view. A new section needs a ``category``.
    """

    section: SectionName
    title: Title | None = None
    category: UUID | None = None
    svg: Annotated[str, Field(min_length=1, max_length=DRAWING_MAX_BYTES)]


class SeatingSection(Resource):
    """A section, in short."""

    name: str
    title: str | None = None
    seats: int


class Seating(Resource):
    """A plan, in short. ``plan`` is its version: that of the event with which it was put."""

    event_id: UUID
    plan: int
    seats: int
    sections: list[SeatingSection]


class SectionSeats(Resource):
    """The seats of a section that are held or sold.

    ``taken`` has a bit for each seat in the order of the plan, row by row, the least significant bit of a byte first;
    base64.
    """

    name: str
    seats: int
    free: int
    taken: str


class Seats(Resource):
    """What is taken as of ``offset``: of all sections, or of those that changed since."""

    event_id: UUID
    plan: int
    offset: int
    sections: list[SectionSeats]


class SeatsQuery(Parameters):
    """Only sections that changed since this offset. If the answer has another ``plan``, ask again without it."""

    since: Annotated[int, Field(ge=-1, le=2**62)] = -1
