"""Generates the sections of a seating plan: rectangles of seats with aisles, numbered by a scheme."""

from typing import Final

from api.organizing.seating import Seat, Section
from api.schemas.seating import SEAT_WIDTH, GeneralSection, GeneratedSection, SeatingGenerator

_LETTERS: Final = 26
# The first number and the step to the next one.
_SCHEMES: Final = {"all": (1, 1), "odd": (1, 2), "even": (2, 2)}


def generated(body: SeatingGenerator) -> list[Section]:
    """The sections of a plan, those of general admission last."""
    return [*map(seated_section, body.sections), *map(general_section, body.general)]


def seated_section(body: GeneratedSection) -> Section:
    """A rectangle of seats."""
    seats = [_row(body, row) for row in range(body.rows)]
    _place_wheelchairs(seats[-1], body.wheelchairs)
    rows = [{"label": row_label(row, body.rows_by), "seats": some} for row, some in enumerate(seats)]
    width = body.seats_per_row - 1 + len(_aisles(body))
    return _named(body) | {"focus": {"x": body.x + width * SEAT_WIDTH // 2, "y": body.y}, "rows": rows}


def general_section(body: GeneralSection) -> Section:
    """A section of general admission."""
    return _named(body)


def row_label(number: int, by: str) -> str:
    """The label of the row of that number, from 0: by numbers from 1, by letters A to Z, then AA."""
    if by == "numbers":
        return str(number + 1)
    label, number = "", number + 1
    while number:
        number, letter = divmod(number - 1, _LETTERS)
        label = chr(ord("A") + letter) + label
    return label


def _named(body: GeneratedSection | GeneralSection) -> Section:
    named: Section = {"name": body.name, "category": str(body.category)}
    return named if body.title is None else named | {"title": body.title}


def _row(body: GeneratedSection, row: int) -> list[Seat]:
    aisles, seats = _aisles(body), []
    for place in range(body.seats_per_row):
        gaps = sum(aisle <= place for aisle in aisles)
        x, y = body.x + (place + gaps) * SEAT_WIDTH, body.y + row * SEAT_WIDTH
        seat: Seat = {"label": _number(body, place), "x": x, "y": y}
        seats.append(seat | {"gapBefore": True} if place in aisles else seat)
    return seats


def _aisles(body: GeneratedSection) -> set[int]:
    return {aisle for aisle in body.aisles_after if aisle < body.seats_per_row}


def _number(body: GeneratedSection, place: int) -> str:
    first, step = _SCHEMES[body.numbering]
    counted = place if body.numbered_from == "left" else body.seats_per_row - 1 - place
    return str(first + step * counted)


def _place_wheelchairs(seats: list[Seat], count: int) -> None:
    """Wheelchair and companion, from both ends of the row in turn."""
    for number in range(count):
        pair = 2 * (number // 2)
        place, beside = (pair, pair + 1) if number % 2 == 0 else (-1 - pair, -2 - pair)
        seats[place]["kind"] = "wheelchair"
        seats[beside]["kind"] = "companion"
