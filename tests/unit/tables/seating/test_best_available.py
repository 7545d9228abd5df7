"""The best available seats are those that trying every choice finds."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import tables.seating.best_available
from lab.chaos.reference_seats import ModelHall
from tables.messages.commands import encode_command
from tables.messages.sections import DefineSection
from tables.seating.best_available import free_seats, longest_run, run_starts
from tables.seating.choice import choose, longest
from tables.seating.layout import SectionLayout
from tables.seating.plan import pieces_of
from tests.unit.tables.halls import hall_section
from tests.unit.tables.ledger_driver import EVENT, FLOOR

rows = st.lists(st.text("ffffsswc|", min_size=1, max_size=8).filter(lambda row: row.strip("|")), min_size=1, max_size=4)


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[DefineSection], set[str]]:
    """One or two sections of up to four rows of up to eight seats, and the seats that are taken."""
    focal = st.tuples(st.integers(0, 80), st.integers(0, 40))
    sections = [hall_section(name, draw(rows), draw(focal)) for name in draw(st.sampled_from(["A", "AB"]))]
    pieces = list(pieces_of(EVENT, 1, sections))
    names = [name for layout in layouts(pieces) for name in layout.names_of(layout.seats)]
    taken = draw(st.sets(st.sampled_from(names)) | st.just(set()))
    return pieces, taken


def layouts(pieces: list[DefineSection]) -> list[SectionLayout]:
    return [SectionLayout(piece.section, 1, piece.categories, piece.focal, piece.rows) for piece in pieces]


def check(hall: tuple[list[DefineSection], set[str]], count: int, *, together: bool, accessible: bool) -> None:
    pieces, taken = hall
    built = layouts(pieces)
    offered = []
    for layout in built:
        free = layout.seats
        bits, lacking = layout.find(tuple([name for name in taken if name.startswith(layout.name)]))
        assert not lacking
        free ^= bits
        offered.append(free_seats(layout, free, FLOOR, accessible=accessible))
    found = choose(offered, count, together=together or accessible)
    names = [name for number, first, size in found for name in built[number].run_names(first, size)]
    model = ModelHall([json.loads(encode_command(piece)) for piece in pieces], taken)
    best = model.best(str(FLOOR), count, {"together": together, "accessible": accessible})
    assert names == [seat.name for seat in best]
    if not found:
        sections = [layout.name for layout in built]
        runs = model.longest(sections, str(FLOOR), count, accessible=accessible)
        assert min(longest(offered, count), count - 1) == runs


@settings(max_examples=400, deadline=None)
@given(hall=halls(), count=st.integers(1, 9), together=st.booleans(), accessible=st.sampled_from([False, False, True]))
def test_the_best_seats_are_those_that_trying_all_finds(
    hall: tuple[list[DefineSection], set[str]], count: int, together: bool, accessible: bool
) -> None:
    check(hall, count, together=together, accessible=accessible)


@given(bits=st.integers(0, 2**40), count=st.integers(1, 42))
def test_runs_begin_where_that_many_bits_are_set(bits: int, count: int) -> None:
    text = bin(bits)[:1:-1]
    assert run_starts(bits, count) == sum(1 << at for at in range(len(text)) if text.startswith("1" * count, at))
    assert longest_run(bits) == max(map(len, text.replace("b", "").split("0")))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_orphaning", lambda *_: 0),
        ("run_starts", lambda bits, _: bits),
        ("_any_within", lambda bits, _: ~0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_trying_all_notices_a_choice_without(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(tables.seating.best_available, name, broken)
    quick = settings(max_examples=2_000, deadline=None, phases=[Phase.generate], derandomize=True, database=None)
    case = given(hall=halls(), count=st.integers(1, 9), accessible=st.booleans())
    with pytest.raises((AssertionError, KeyError, IndexError)):
        quick(case(lambda hall, count, accessible: check(hall, count, together=True, accessible=accessible)))()
