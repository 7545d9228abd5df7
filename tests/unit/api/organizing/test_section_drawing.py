"""Sections from SVG drawings: where seats are, what is kept of the section before, and drawings that mean harm."""

import time
from typing import Any

import pytest

from api.organizing.section_drawing import drawn_section, read_drawing
from api.problems import Refused
from api.schemas.seating import DRAWING_MAX_BYTES

EMPTY: dict[str, Any] = {"name": "A", "category": "stalls"}
OPENING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">'
SEAT = '<circle data-seat="A-1" cx="10" cy="10" r="4"/>'


def svg(inside: str, opening: str = OPENING) -> bytes:
    return f"{opening}{inside}</svg>".encode()


def rows(inside: str, section: dict[str, Any] = EMPTY) -> dict[str, list[tuple[Any, ...]]]:
    """By row, label and place of its seats, and whether there is an aisle before them."""
    made = drawn_section(read_drawing(svg(inside)), section)
    return {
        row["label"]: [(seat["label"], seat["x"], seat["y"], seat.get("gapBefore", False)) for seat in row["seats"]]
        for row in made["rows"]
    }


def why(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        drawn_section(read_drawing(content), EMPTY)
    assert (refused.value.kind, refused.value.faults[0].pointer) == ("invalid-input", "/svg")
    return refused.value.faults[0].detail


def test_places_become_those_of_the_plan_in_which_a_seat_is_ten_wide() -> None:
    drawn = """
      <g id="back"><rect data-seat="B-2" x="20" y="20" width="4" height="4"/>
      <rect data-seat="B-1" x="15" y="20" width="4" height="4"/></g>
      <ellipse data-seat="A-1" cx="17" cy="12px" rx="2" ry="2"/>
      <circle data-seat="A-3" cx="37" cy="12" r="2"/><circle data-seat="A-2" cx="22" cy="12" r="2"/>
      <circle data-seat="A-4" cx="42" cy="12" r="2"/>
    """
    assert rows(drawn) == {
        "A": [("1", 42, 30, False), ("2", 55, 30, False), ("3", 92, 30, True), ("4", 105, 30, False)],
        "B": [("1", 42, 55, False), ("2", 55, 55, False)],
    }


def test_ids_count_only_where_no_seat_is_named_by_data_seat() -> None:
    assert rows('<circle id="A-1" cx="5" cy="5" r="5"/>') == {"A": [("1", 5, 5, False)]}
    both = '<rect id="bg-1" width="100%" height="9" transform="scale(2)"/><circle data-seat="A-1" cx="5" cy="5" r="5"/>'
    assert rows(both) == {"A": [("1", 5, 5, False)]}


def test_what_a_seat_was_it_stays_and_a_seat_that_is_not_drawn_is_gone() -> None:
    seat = {"x": 0, "y": 0, "kind": "wheelchair", "category": "box", "obstructed": True, "gapBefore": True}
    before = EMPTY | {
        "title": "Left",
        "focus": {"x": 1, "y": 1},
        "rows": [{"label": "A", "seats": [seat | {"label": "1"}, seat | {"label": "2"}]}],
    }
    made = drawn_section(read_drawing(svg('<circle data-seat="A-1" cx="30" cy="40" r="5"/>')), before)
    kept = {"label": "1", "x": 30, "y": 40, "kind": "wheelchair", "category": "box", "obstructed": True}
    assert made == EMPTY | {"title": "Left", "rows": [{"label": "A", "seats": [kept]}]}


def test_a_definition_that_is_not_drawn_is_no_seat() -> None:
    undrawn = "".join(
        f"<{tag}><circle data-seat='A-9' r='4'/></{tag}>" for tag in ("defs", "symbol", "clipPath", "mask")
    )
    assert rows(undrawn + SEAT).keys() == {"A"}
    assert len(rows(undrawn + SEAT)["A"]) == 1


BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "billion laughs": (f'<!DOCTYPE svg [<!ENTITY l0 "ha">{BILLION}]>'.encode() + svg("&l9;" + SEAT), "entities"),
    "a file of the server": (
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("<text>&x;</text>" + SEAT),
        "entities",
    ),
    "a long attribute for each element": (
        f'<!DOCTYPE svg [<!ATTLIST g a CDATA "{"x" * 1_000_000}">]>'.encode() + svg("<g/>" * 49_000 + SEAT),
        "entities",
    ),
    "a long namespace for each element": (
        svg("<x:g/>" * 49_000 + SEAT, f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="{"x" * 1_000_000}">'),
        "not an SVG",
    ),
    "an entity of a foreign definition": (b'<!DOCTYPE svg SYSTEM "http://127.0.0.1:9/x.dtd">' + svg("&x;"), "no seats"),
    "10 MB": (svg(SEAT + " " * (10 * 1024 * 1024)), f"more than {DRAWING_MAX_BYTES} bytes"),
    "too many elements": (svg("<g/>" * 60_000 + SEAT), "elements"),
    "too deep": (svg("<g>" * 1_000 + SEAT + "</g>" * 1_000), "in each other"),
    "no end": (OPENING.encode() + SEAT.encode(), "well-formed"),
    "not XML": (b"\x89PNG\r\n", "well-formed"),
    "nothing": (b"", "well-formed"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="klingon"?>' + svg(SEAT), "well-formed"),
    "a page": (svg(SEAT, "<html>").replace(b"</svg>", b"</html>"), "not an SVG"),
    "no seats": (svg("<script>alert(1)</script><image href='http://127.0.0.1:9/'/>"), "no seats"),
    "NaN": (svg('<circle data-seat="A-1" cx="NaN" cy="1" r="4"/>'), "seat A-1 has no number as cx"),
    "infinity": (svg('<circle data-seat="A-1" cx="1e999" cy="1" r="4"/>'), "seat A-1 has no number as cx"),
    "percents": (svg('<circle data-seat="A-1" cx="50%" cy="1" r="4"/>'), "seat A-1 has no number as cx"),
    "far outside": (svg('<circle data-seat="A-1" cx="1e300" cy="1" r="4"/>'), "seat A-1 is outside"),
    "a seat too small to tell": (svg(SEAT.replace('r="4"', 'r="1e-320"')), "seat A-1 has no size"),
    "beyond all floats": (svg(SEAT.replace('r="4"', 'r="1.7e308"')), "seat A-1 is outside"),
    "beyond all floats, as a sum": (
        svg('<rect data-seat="A-1" x="1.7e308" y="0" width="1.7e308" height="1.7e308"/>'),
        "seat A-1 is outside",
    ),
    "a mean beyond all floats": (
        svg("".join(f'<circle data-seat="A-{n}" cx="{n}" cy="1.7e308" r="4"/>' for n in (1, 2))),
        "seat A-1 is outside",
    ),
    "above": (svg('<circle data-seat="A-1" cx="1" cy="-90" r="4"/>'), "seat A-1 is outside"),
    "no size": (svg('<circle data-seat="A-1" cx="1" cy="1"/>'), "seat A-1 has no size"),
    "nested transforms": (
        svg(f'<g transform="scale(2)"><g transform="rotate(9)">{SEAT}</g></g>'),
        "seat A-1 is moved by a transform",
    ),
    "a drawing in the drawing": (svg(f"<svg>{SEAT}</svg>"), "seat A-1 is moved"),
    "a seat twice": (svg(SEAT + SEAT), "seat A-1 is drawn twice"),
    "two seats in a place": (svg(SEAT + SEAT.replace("A-1", "A-2")), "seats A-1 and A-2 are in one place"),
    "no name of a seat": (svg(SEAT.replace("A-1", "stage")), "'stage' is not a seat"),
    "a script as a name": (svg(SEAT.replace("A-1", "&lt;script&gt;-1")), "is not a seat"),
    "too many seats": (
        svg("".join(f'<circle data-seat="{n // 400}-{n % 400}" r="4"/>' for n in range(10_001))),
        "more than 10000 seats",
    ),
    "a long row": (
        svg("".join(f'<circle data-seat="A-{n}" cx="{9 * n}" r="4"/>' for n in range(501))),
        "more than 500",
    ),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_drawing_is_refused_in_a_moment_and_the_reason_says_what_it_is(harm: str) -> None:
    content, reason = HOSTILE[harm]
    began = time.monotonic()
    assert reason in why(content)
    assert time.monotonic() - began < 5


def test_nothing_of_a_drawing_is_kept_but_names_and_numbers() -> None:
    nasty = """<script>alert(1)</script><style>@import url(http://127.0.0.1:9/)</style>
      <circle data-seat="A-1" cx="5" cy="5" r="5" onclick="alert(1)" style="fill:url(#x)"><title>x</title></circle>
      <foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="http://127.0.0.1:9/"/></body></foreignObject>
      <use href="http://127.0.0.1:9/#x"/><a href="javascript:alert(1)"><text>x</text></a>"""
    made = drawn_section(read_drawing(svg(nasty)), EMPTY)
    assert made == EMPTY | {"rows": [{"label": "A", "seats": [{"label": "1", "x": 5, "y": 5}]}]}
