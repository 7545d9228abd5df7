"""The drawing of a section, as a few paths: one for all seats that look the same.

The page's script draws the seats one by one instead, in the same shapes.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from api.pages.section_view import ShownRow
from api.schemas.seating import SEAT_WIDTH

# Pixels of the drawing for a unit of the plan, so that a seat is large enough for a finger.
SCALE: Final = 2.6
# By look, a path from the middle of a seat and back to it. Each ticket type has a shape as well as a colour.
SHAPES: Final[Mapping[str, str]] = {
    "type-0": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0m4 0",
    "type-1": "m0-4.6l4.6 8h-9.2zm0 4.6",
    "type-2": "m-2.3-4h4.6l2.3 4-2.3 4h-4.6l-2.3-4zm2.3 4",
    "type-3": "m0 4.6l4.6-8h-9.2zm0-4.6",
    "type-4": "m-1.7-4.4h3.4v2.7h2.7v3.4h-2.7v2.7h-3.4v-2.7h-2.7v-3.4h2.7zm1.7 4.4",
    "type-5": "m-2.2-4h4.4l2.2 8h-8.8zm2.2 4",
    "wheelchair": "m-4-4h8v8h-8zm2 4h4m-2-2v4m0-2",
    "companion": "m0-4.8l4.8 4.8-4.8 4.8-4.8-4.8zm0 4.8",
    "taken": "m-3-3l6 6m0-6l-6 6m3-3",
    "full": "m-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0-8.8 0m4.4 0",
    "check": "m-2.2 0l1.6 1.7 2.8-3.2m-2.2 1.5",
    "near": "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0m5 0",
}
_CHOSEN: Final = ("full", "check")

Point = tuple[int, int]


class SeatPath(NamedTuple):
    """The path of all seats that look the same."""

    look: str
    colour: int
    path: str


class Drawing(NamedTuple):
    """The rectangle of the plan that is drawn, and the seats in it."""

    x: int
    y: int
    width: int
    height: int
    paths: Sequence[SeatPath]

    @property
    def pixels(self) -> int:
        """Its width on the page."""
        return round(self.width * SCALE)


def drawing_of(rows: Sequence[ShownRow]) -> Drawing:
    """The drawing of rows with at least one seat."""
    seats = [seat for row in rows for seat in row.seats]
    left, top = min(seat.x for seat in seats) - SEAT_WIDTH, min(seat.y for seat in seats) - SEAT_WIDTH
    right, bottom = max(seat.x for seat in seats) + SEAT_WIDTH, max(seat.y for seat in seats) + SEAT_WIDTH
    places: dict[tuple[str, int], list[Point]] = {}
    for seat in seats:
        looks = _CHOSEN if seat.look == "chosen" else (seat.look, "near") if seat.is_near else (seat.look,)
        for look in looks:
            places.setdefault((look, seat.colour), []).append((seat.x, seat.y))
    paths = [SeatPath(look, colour, _path(SHAPES[look], found)) for (look, colour), found in places.items()]
    return Drawing(left, top, right - left, bottom - top, paths)


def _path(shape: str, places: Sequence[Point]) -> str:
    """Each place relative to the one before, so that regular rows compress to little."""
    before = [(0, 0), *places]
    return "".join(
        f"m{x - past_x} {y - past_y}{shape}" for (past_x, past_y), (x, y) in zip(before, places, strict=False)
    )
