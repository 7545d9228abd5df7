"""Makes the rows of a section from an SVG drawing: only names and places of seats are read, the drawing is not kept.

A seat is a ``circle``, ``ellipse`` or ``rect`` with ``data-seat="ROW-SEAT"``; without any ``data-seat``, ``id`` counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from math import dist, isfinite
from statistics import fmean, median
from typing import Any, Final, NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate

from api.organizing.seating import PlanRefused, Seat, Section
from api.schemas.seating import DRAWING_MAX_BYTES, LABEL_PATTERN, SEAT_WIDTH
from tables.messages.sections import COORDINATE_MAX, ROW_MAX_SEATS, SECTION_MAX_SEATS

ELEMENTS_MAX: Final = 50_000
DEPTH_MAX: Final = 50
NAMESPACE_MAX_CHARS: Final = 500
# Further away nothing can be drawn, and smaller no seat can be: with both, no place is beyond what floats can tell.
DISTANCE_MAX: Final = 1e9
WIDTH_MIN: Final = 1e-6
# Seats that are further apart than this many times the usual distance in their row have an aisle between them.
AISLE_FACTOR: Final = 1.75
_SVG: Final = "http://www.w3.org/2000/svg"
_UNDRAWN: Final = frozenset({"defs", "symbol", "clipPath", "mask", "pattern", "marker"})
_NAME: Final = re.compile(f"{LABEL_PATTERN[:-1]}-{LABEL_PATTERN[1:]}")
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(px)?", re.ASCII)

Attributes = Mapping[str, str]


class DrawingFault(StrEnum):
    """A reason against a drawing: the sentence about it, with the names of its figures in braces."""

    TOO_MANY_BYTES = "the drawing has more than {limit} bytes"
    TOO_MANY_ELEMENTS = "the drawing has more than {limit} elements, or more than {depth} in each other"
    TOO_MANY_SEATS = "the drawing has more than {limit} seats"
    ROW_TOO_LONG = "row {row} has more than {limit} seats"
    NOT_XML = "the drawing is not well-formed XML"
    NOT_SVG = "the file is not an SVG drawing"
    HAS_ENTITIES = "the drawing declares entities"
    NO_SEATS = "the drawing has no seats"
    NO_SEAT_NAME = "{name!r} is not a seat: write ROW-SEAT"
    SEAT_TWICE = "seat {name} is drawn twice"
    SAME_PLACE = "seats {name} and {other} are in one place"
    SEAT_MOVED = "seat {name} is moved by a transform or a nested svg"
    SEAT_OUTSIDE = "seat {name} is outside of the drawing"
    SEAT_WITHOUT_SIZE = "seat {name} has no size"
    NOT_A_NUMBER = "seat {name} has no number as {field}"


class DrawnSeat(NamedTuple):
    """A seat of a drawing: its name, ROW-SEAT, its middle and its width."""

    name: str
    x: float
    y: float
    width: float


def read_drawing(content: bytes, encoding: str | None = None) -> Sequence[DrawnSeat]:
    """The seats of a drawing, at least one; by default in the encoding that it declares. Refused: invalid-input."""
    if len(content) > DRAWING_MAX_BYTES:
        raise _refused(DrawingFault.TOO_MANY_BYTES, limit=DRAWING_MAX_BYTES)
    reader = _Reader(encoding)
    try:
        reader.parser.Parse(content, True)
    except (ExpatError, ValueError, LookupError) as error:
        raise _refused(DrawingFault.NOT_XML) from error
    shapes = reader.shapes.get("data-seat") or reader.shapes.get("id") or []
    if not shapes:
        raise _refused(DrawingFault.NO_SEATS)
    if len(shapes) > SECTION_MAX_SEATS:
        raise _refused(DrawingFault.TOO_MANY_SEATS, limit=SECTION_MAX_SEATS)
    names: set[str] = set()
    for shape in shapes:
        if shape.name in names:
            raise _refused(DrawingFault.SEAT_TWICE, name=shape.name)
        names.add(shape.name)
    return [_drawn(shape) for shape in shapes]


def drawn_section(seats: Sequence[DrawnSeat], section: Section) -> Section:
    """The section with the rows of a drawing; seats that it had before keep their ticket type, kind and view.

    A seat becomes 10 wide, rows are in the order of their y, and seats of a row in that of their x.
    Refused: invalid-input.
    """
    scale = SEAT_WIDTH / median(seat.width for seat in seats)
    known = {f"{row['label']}-{seat['label']}": seat for row in section.get("rows", ()) for seat in row["seats"]}
    by_row: defaultdict[str, list[DrawnSeat]] = defaultdict(list)
    for seat in seats:
        by_row[seat.name.partition("-")[0]].append(seat)
    ordered = sorted(by_row.items(), key=lambda row: (fmean(each.y for each in row[1]), row[0]))
    rows = [{"label": label, "seats": _row(label, found, scale, known)} for label, found in ordered]
    _check_places(rows)
    return {key: value for key, value in section.items() if key != "focus"} | {"rows": rows}


def _row(label: str, drawn: Iterable[DrawnSeat], scale: float, known: Mapping[str, Seat]) -> list[Seat]:
    ordered = sorted(drawn, key=lambda seat: (seat.x, seat.y))
    if len(ordered) > ROW_MAX_SEATS:
        raise _refused(DrawingFault.ROW_TOO_LONG, row=label, limit=ROW_MAX_SEATS)
    steps = [dist((one.x, one.y), (other.x, other.y)) for one, other in pairwise(ordered)]
    usual = median(steps) if steps else 0.0
    gaps = [False, *(step > AISLE_FACTOR * usual for step in steps)]
    return [_seat(seat, scale, known, has_gap=gap) for seat, gap in zip(ordered, gaps, strict=True)]


def _seat(drawn: DrawnSeat, scale: float, known: Mapping[str, Seat], *, has_gap: bool) -> Seat:
    x, y = round(drawn.x * scale), round(drawn.y * scale)
    if not (0 <= x <= COORDINATE_MAX and 0 <= y <= COORDINATE_MAX):
        raise _refused(DrawingFault.SEAT_OUTSIDE, name=drawn.name)
    before = {field: value for field, value in known.get(drawn.name, {}).items() if field != "gapBefore"}
    return before | {"label": drawn.name.partition("-")[2], "x": x, "y": y} | ({"gapBefore": True} if has_gap else {})


def _check_places(rows: Iterable[Section]) -> None:
    """Refused: invalid-input for two seats in one place."""
    taken: dict[tuple[int, int], str] = {}
    for row in rows:
        for seat in row["seats"]:
            name = f"{row['label']}-{seat['label']}"
            other = taken.setdefault((seat["x"], seat["y"]), name)
            if other != name:
                raise _refused(DrawingFault.SAME_PLACE, name=other, other=name)


class _Shape(NamedTuple):
    """An element that may be a seat."""

    kind: str
    name: str
    attributes: Attributes
    is_moved: bool


def _drawn(shape: _Shape) -> DrawnSeat:
    if shape.is_moved:
        raise _refused(DrawingFault.SEAT_MOVED, name=shape.name)
    return _SHAPES[shape.kind](shape.name, shape.attributes)


class _Reader:
    """Reads seats, by the attribute that names them. It fetches nothing, and takes no entities."""

    def __init__(self, encoding: str | None) -> None:
        self.parser = ParserCreate(encoding, namespace_separator=" ")
        self.parser.EntityDeclHandler = self._declared
        # The default of an attribute, which may be long, would be given to every element.
        self.parser.AttlistDeclHandler = self._declared
        self.parser.StartNamespaceDeclHandler = self._namespace
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.shapes: defaultdict[str, list[_Shape]] = defaultdict(list)
        self._elements = 0
        # Of each open element: whether what is in it is drawn, and whether it is moved.
        self._open: list[tuple[bool, bool]] = []

    def _declared(self, *_: object) -> None:
        raise _refused(DrawingFault.HAS_ENTITIES)

    def _namespace(self, _: object, name: str | None) -> None:
        """It becomes part of the name of each of its elements."""
        if name and len(name) > NAMESPACE_MAX_CHARS:
            raise _refused(DrawingFault.NOT_SVG)

    def _start(self, name: str, attributes: Attributes) -> None:
        self._elements += 1
        if self._elements > ELEMENTS_MAX or len(self._open) >= DEPTH_MAX:
            raise _refused(DrawingFault.TOO_MANY_ELEMENTS, limit=ELEMENTS_MAX, depth=DEPTH_MAX)
        namespace, _, local = name.rpartition(" ")
        if not self._open and (local != "svg" or namespace not in ("", _SVG)):
            raise _refused(DrawingFault.NOT_SVG)
        is_drawn, is_moved = self._open[-1] if self._open else (True, False)
        is_drawn = is_drawn and local not in _UNDRAWN
        is_moved = is_moved or "transform" in attributes or (local == "svg" and bool(self._open))
        self._open.append((is_drawn, is_moved))
        if is_drawn and namespace in ("", _SVG) and local in _SHAPES:
            self._add(local, attributes, is_moved=is_moved)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _add(self, shape: str, attributes: Attributes, *, is_moved: bool) -> None:
        for source in ("data-seat", "id"):
            name = attributes.get(source, "")
            if not _NAME.fullmatch(name):
                if source == "data-seat" and name:
                    raise _refused(DrawingFault.NO_SEAT_NAME, name=name[:40])
                continue
            self.shapes[source].append(_Shape(shape, name, attributes, is_moved))
            return


def _round(name: str, attributes: Attributes) -> DrawnSeat:
    radius = _number(name, attributes, "r" if "r" in attributes else "rx")
    return DrawnSeat(name, _number(name, attributes, "cx"), _number(name, attributes, "cy"), _width(name, 2 * radius))


def _angular(name: str, attributes: Attributes) -> DrawnSeat:
    x, y, width, height = (_number(name, attributes, field) for field in ("x", "y", "width", "height"))
    return DrawnSeat(name, x + width / 2, y + height / 2, _width(name, min(width, height)))


_SHAPES: Final = {"circle": _round, "ellipse": _round, "rect": _angular}


def _width(name: str, width: float) -> float:
    if width < WIDTH_MIN:
        raise _refused(DrawingFault.SEAT_WITHOUT_SIZE, name=name)
    return width


def _number(name: str, attributes: Attributes, field: str) -> float:
    text = attributes.get(field, "0").strip()
    number = float(text.removesuffix("px")) if _NUMBER.fullmatch(text) else float("nan")
    if not isfinite(number):
        raise _refused(DrawingFault.NOT_A_NUMBER, name=name, field=field)
    if abs(number) > DISTANCE_MAX:
        raise _refused(DrawingFault.SEAT_OUTSIDE, name=name)
    return number


def _refused(fault: DrawingFault, **figures: Any) -> PlanRefused:
    return PlanRefused("/svg", fault, **figures)
