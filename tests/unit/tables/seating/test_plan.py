"""A plan is refused by name, or travels whole in pieces that fit a record."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tables.seating.plan import HallSection, check_hall, pieces_of

EVENT, STALLS, BOX = UUID(int=1), UUID(int=2), UUID(int=3)
PIECE_MAX_BYTES = 200_000


def row(label: str, count: int, **changes: Any) -> PlanRow:
    return PlanRow(label, [PlanSeat(str(number), 0, number, 0, **changes) for number in range(1, count + 1)])


def section(name: str = "A", rows: Sequence[PlanRow] = (row("1", 3), row("2", 3))) -> HallSection:
    return HallSection(name=name, categories=[STALLS], rows=list(rows))


FLOOR = HallSection(name="Floor", categories=[BOX])


def test_a_plan_with_rows_of_one_seat_and_a_general_section_is_good() -> None:
    check_hall([section(rows=[row("1", 1)]), FLOOR], [STALLS, BOX])


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ([], "a plan has 1 to 500 sections, not 0"),
        ([section(), section()], "section A is there twice"),
        ([section(rows=[row("1", 1), row("1", 2)])], "row 1 of section A is there twice"),
        ([section(rows=[PlanRow("1", [PlanSeat("7", 0, 0, 0)] * 2)])], "seat A-1-7 is there twice"),
        ([section(rows=[row(str(number), 500) for number in range(21)])], "section A has 10500 seats"),
        ([section(rows=[PlanRow("1", [PlanSeat("7", 1, 0, 0)])])], "seat A-1-7 has the category number 1"),
        ([section(rows=[row("1", 1, flags=3)])], "seat A-1-1 is for a wheelchair and for a companion"),
        ([replace(section(), categories=[EVENT])], f"section A has the category {EVENT}, which is not a ticket type"),
        ([replace(FLOOR, categories=[STALLS, BOX])], "section Floor has no rows: it must have one category"),
        ([section(), replace(FLOOR, categories=[STALLS])], f"ticket type {STALLS} is sold by seat and in a general"),
        (
            [section(f"S{number}", [row(str(each), 500) for each in range(20)]) for number in range(10)]
            + [section("Z", [row("1", 1)])],
            "the plan has 100001 seats, which is more than 100000",
        ),
    ],
)
def test_a_plan_that_cannot_be_sold_is_refused_by_name(sections: list[HallSection], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_hall(sections, [STALLS, BOX])


def test_a_section_of_ten_thousand_seats_travels_in_pieces_that_fit_a_record() -> None:
    rows = [
        PlanRow(f"row {each}", [PlanSeat(f"s {seat}", 0, 99_999, 99_999, 15) for seat in range(100)])
        for each in range(100)
    ]
    pieces = list(pieces_of(EVENT, 7, [section(rows=rows), FLOOR]))
    assert [(piece.section, piece.part, piece.parts) for piece in pieces] == [("A", 0, 2), ("A", 1, 2), ("Floor", 0, 1)]
    assert [each for piece in pieces for each in piece.rows] == rows
    for piece in pieces:
        encoded = msgspec.json.encode(piece)
        assert len(encoded) < PIECE_MAX_BYTES
        assert msgspec.json.decode(encoded, type=DefineSection) == piece


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"section": "A-1"}, r"\$.section"),
        ({"section": "x" * 17}, r"\$.section"),
        ({"rows": [["1\n", [["1", 0, 0, 0]]]]}, r"\$.rows"),
        ({"rows": [["1", []]]}, r"\$.rows"),
        ({"rows": [["1", [["1", 1, 0, 0]]]]}, "row 1 of section A has a category that is not listed"),
        ({"rows": [["1", [["1", 0, -1, 0]]]]}, r"\$.rows"),
        ({"number": 2}, "number must be below sections"),
        ({"part": 1}, "part below parts"),
        ({"plan": 0}, r"\$.plan"),
    ],
)
def test_a_piece_that_is_no_part_of_a_plan_is_refused_by_field(changes: dict[str, Any], problem: str) -> None:
    piece = msgspec.to_builtins(next(pieces_of(EVENT, 1, [section(), FLOOR])))
    assert piece["rows"][0][1][0] == ["1", 0, 1, 0, 0]
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(piece | changes, DefineSection)
