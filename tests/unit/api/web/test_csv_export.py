"""Tables: read back as typed, and never run by a spreadsheet, whatever it cuts cells at."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.csv_export import cell, table
from tests.hostile import HALVES

# What is taken out again to have what was typed.
GUARD: Final = re.compile(r"(?:\A|(?<=[;\t\r\n]))'(?='*(?:[^\w!-~\t\r\n]*[=+@＝＋－＠﹦﹢﹣﹫-]|[\t\r\n]))")


@given(st.lists(st.lists(HALVES, min_size=2, max_size=2), max_size=4))
@example([["=1", "a;=1+1;"], ["'=1", "\r\n@x"], ["\ufeff =1", "\u202e﹣1"], ["\ufeff\t=1", "'\t"]])
def test_what_was_typed_is_read_back(rows: list[list[str]]) -> None:
    text = "".join(table(["one", "two"], iter(rows)))
    head, *read = csv.reader(io.StringIO(text, newline=""))
    assert head == ["one", "two"]
    assert [[GUARD.sub("", each) for each in row] for row in read] == rows


@given(HALVES)
def test_no_cell_is_a_formula_wherever_a_spreadsheet_cuts(typed: str) -> None:
    for piece in re.split("[;\t\r\n]", cell(typed)):
        seen = "".join(each for each in piece if each.isprintable() and not each.isspace())
        assert not seen.startswith(tuple("=+-@＝＋－＠"))


@pytest.mark.parametrize("text", ["Stalls", "49.90", "2030-05-17T20:00:00+00:00", "a-b", "a = b", "Tom & Jerry's; x"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("-1.70"), "-1.70"),
        (Decimal("0.00"), "0.00"),
        (Decimal("1E+3"), "1000"),
        (None, ""),
        ("-1.70", "'-1.70"),
    ],
)
def test_a_number_is_one_for_a_spreadsheet_also_below_0(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_long_table_is_written_while_it_is_read() -> None:
    taken = 0

    def rows() -> Iterator[tuple[int]]:
        nonlocal taken
        for taken in range(1, 5_001):
            yield (taken,)

    pieces = table(["number"], rows())
    next(pieces)
    assert taken < 1_000
    assert sum(piece.count("\n") for piece in pieces) > 4_000
