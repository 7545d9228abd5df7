"""Changes of plans: sections come and go, seats are marked, sold as another type, and removed."""

from typing import Any
from uuid import UUID

import pytest

from api.organizing.plan_edits import (
    removed,
    section_named,
    section_or_new,
    with_category,
    with_kind,
    with_seats_changed,
    with_section,
    with_title,
    with_view,
    without_section,
)
from api.problems import Refused

STALLS, BOX = UUID(int=1), UUID(int=2)


def section(*labels: str, name: str = "A") -> dict[str, Any]:
    seats = [{"label": label, "x": 10 * place, "y": 0} for place, label in enumerate(labels)]
    return {"name": name, "category": str(STALLS), "rows": [{"label": "1", "seats": seats}]}


def seats(of: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in seat.items() if key not in "xy"} for seat in of["rows"][0]["seats"]]


def test_a_section_takes_the_place_of_the_one_with_its_name() -> None:
    plan = [section("1"), section("1", name="B")]
    fresh = section("1", "2")
    assert with_section(plan, fresh) == [fresh, plan[1]]
    assert with_section(plan, fresh | {"name": "C"}) == [*plan, fresh | {"name": "C"}]
    assert without_section(plan, "A") == [plan[1]]
    assert section_named(plan, "B") is plan[1]
    with pytest.raises(Refused):
        section_named(plan, "Z")


def test_a_new_section_needs_a_ticket_type() -> None:
    plan = [section("1")]
    assert section_or_new(plan, "A", None) is plan[0]
    assert section_or_new(plan, "B", BOX) == {"name": "B", "category": str(BOX)}
    with pytest.raises(Refused) as refused:
        section_or_new(plan, "B", None)
    assert refused.value.faults[0].pointer == "/category"


def test_seats_are_marked_and_marked_back() -> None:
    before = section("1", "2")
    changes = [with_kind("wheelchair"), with_view(is_obstructed=True), with_category(BOX, before)]
    after = before
    for change in changes:
        after = with_seats_changed(after, {"A-1-2"}, change)
    marked = {"label": "2", "kind": "wheelchair", "obstructed": True, "category": str(BOX)}
    assert seats(after) == [{"label": "1"}, marked]
    for change in (with_kind("standard"), with_view(is_obstructed=False), with_category(STALLS, before)):
        after = with_seats_changed(after, {"A-1-2"}, change)
    assert after == before


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ({"A-1-1"}, [("2", False), ("3", False), ("4", False)]),
        ({"A-1-2"}, [("1", False), ("3", True), ("4", False)]),
        ({"A-1-2", "A-1-3"}, [("1", False), ("4", True)]),
        ({"A-1-4"}, [("1", False), ("2", False), ("3", False)]),
    ],
)
def test_where_a_seat_is_removed_its_neighbours_do_not_become_adjacent(
    gone: set[str], left: list[tuple[str, bool]]
) -> None:
    after = with_seats_changed(section("1", "2", "3", "4"), gone, removed)
    assert [(seat["label"], seat.get("gapBefore", False)) for seat in seats(after)] == left


def test_a_row_without_seats_is_gone() -> None:
    two = section("1") | {"rows": [{"label": row, "seats": [{"label": "1", "x": 0, "y": 0}]} for row in "12"]}
    assert [row["label"] for row in with_seats_changed(two, {"A-1-1"}, removed)["rows"]] == ["2"]
    with pytest.raises(Refused) as refused:
        with_seats_changed(two, {"A-1-1", "A-2-1"}, removed)
    assert refused.value.faults[0].detail == "section A has no seats left"


def test_a_title_comes_and_goes() -> None:
    titled = with_title(section("1"), "Left")
    assert titled["title"] == "Left"
    assert with_title(titled, None) == section("1")
