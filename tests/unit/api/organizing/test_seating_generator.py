"""Generated sections: their names, places and aisles."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from api.organizing.seating import hall_of, seats_of
from api.organizing.seating_generator import generated, row_label
from api.schemas.seating import SeatingGenerator

CATEGORY = str(uuid4())


def section(**more: Any) -> dict[str, Any]:
    body = {"name": "A", "category": CATEGORY, "rows": 2, "seatsPerRow": 4} | more
    return generated(SeatingGenerator.model_validate({"sections": [body]}))[0]


def names(**more: Any) -> str:
    return " ".join(name for name, _ in seats_of(section(**more)))


@pytest.mark.parametrize(
    ("scheme", "named"),
    [
        ({}, "A-A-1 A-A-2 A-A-3 A-A-4 A-B-1 A-B-2 A-B-3 A-B-4"),
        ({"numberedFrom": "right", "rows": 1}, "A-A-4 A-A-3 A-A-2 A-A-1"),
        ({"numbering": "odd", "rows": 1}, "A-A-1 A-A-3 A-A-5 A-A-7"),
        ({"numbering": "even", "numberedFrom": "right", "rows": 1}, "A-A-8 A-A-6 A-A-4 A-A-2"),
        ({"rowsBy": "numbers", "seatsPerRow": 1}, "A-1-1 A-2-1"),
    ],
)
def test_seats_are_numbered_by_the_scheme(scheme: dict[str, Any], named: str) -> None:
    assert names(**scheme) == named


def test_letters_go_on_after_z() -> None:
    assert [row_label(number, "letters") for number in (0, 25, 26, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")
    ]


def test_an_aisle_is_a_gap_in_the_row_and_on_the_drawing() -> None:
    made = section(aislesAfter=[2], x=100, y=50)
    assert [seat["x"] for _, seat in seats_of(made)][:4] == [100, 110, 130, 140]
    assert [seat.get("gapBefore", False) for _, seat in seats_of(made)][:4] == [False, False, True, False]
    assert made["focus"] == {"x": 120, "y": 50}
    [hall] = hall_of([made])
    assert [seat.flags for seat in hall.rows[1].seats] == [0, 0, 8, 0]


def test_wheelchairs_are_at_both_ends_of_the_last_row_with_companions_beside() -> None:
    kinds = [seat.get("kind", "standard")[0] for _, seat in seats_of(section(seatsPerRow=7, wheelchairs=3))]
    assert "".join(kinds) == "sssssss" + "wcwcscw"


def test_more_wheelchairs_than_the_row_has_room_for_are_refused() -> None:
    with pytest.raises(ValidationError):
        section(wheelchairs=3)
