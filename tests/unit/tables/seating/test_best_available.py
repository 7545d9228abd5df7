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
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tables.seating.best_available import RUNS_MAX_SIZES, RowRuns, SeatPool, longest_run, run_starts
from tables.seating.choice import FreeSeats, choose, longest
from tables.seating.layout import SectionLayout
from tables.seating.plan import pieces_of
from tests.unit.tables.halls import hall_section
from tests.unit.tables.ledger_driver import EVENT, FLOOR

rows = st.lists(st.text("ffffsswc|", min_size=1, max_size=8).filter(lambda row: row.strip("|")), min_size=1, max_size=4)


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[DefineSection], list[set[str]]]:
    """One or two sections of up to four rows of up to eight seats, and which are taken, at one time after another."""
    focal = st.tuples(st.integers(0, 80), st.integers(0, 40))
    sections = [hall_section(name, draw(rows), draw(focal)) for name in draw(st.sampled_from(["A", "AB"]))]
    pieces = list(pieces_of(EVENT, 1, sections))
    names = [name for layout in layouts(pieces) for name in layout.names_of(layout.seats)]
    taken = st.sets(st.sampled_from(names)) | st.just(set[str]())
    return pieces, draw(st.lists(taken, min_size=1, max_size=3))


def layouts(pieces: list[DefineSection]) -> list[SectionLayout]:
    return [SectionLayout(piece.section, 1, piece.categories, piece.focal, piece.rows) for piece in pieces]


def check(hall: tuple[list[DefineSection], list[set[str]]], count: int, *, together: bool, accessible: bool) -> None:
    pieces, times = hall
    built = layouts(pieces)
    for taken in times:
        check_once(pieces, built, taken, count, together=together or accessible, accessible=accessible)


def check_once(
    pieces: list[DefineSection],
    built: list[SectionLayout],
    taken: set[str],
    count: int,
    *,
    together: bool,
    accessible: bool,
) -> None:
    offered = []
    for layout in built:
        bits, lacking = layout.find([name for name in taken if name.startswith(layout.name)])
        assert not lacking
        offered.append(FreeSeats(layout.pool(FLOOR, accessible=accessible), layout.seats ^ bits))
    found = choose(offered, count, together=together)
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
    hall: tuple[list[DefineSection], list[set[str]]], count: int, together: bool, accessible: bool
) -> None:
    check(hall, count, together=together, accessible=accessible)


@given(bits=st.integers(0, 2**40), count=st.integers(1, 42))
def test_runs_begin_where_that_many_bits_are_set(bits: int, count: int) -> None:
    text = bin(bits)[:1:-1]
    assert run_starts(bits, count) == sum(1 << at for at in range(len(text)) if text.startswith("1" * count, at))
    assert longest_run(bits) == max(map(len, text.replace("b", "").split("0")))


row_runs, look = SeatPool.row_runs, RowRuns._look


def with_orphans(pool: SeatPool, count: int, **_: bool) -> RowRuns:
    """Allow orphans."""
    return row_runs(pool, count, orphans=True)


def look_once(runs: RowRuns, row: int, free: int) -> None:
    """Look at no row again."""
    if not runs._free:
        look(runs, row, free)


def places(draw: st.DrawFn, seats: int) -> list[PlanSeat]:
    coordinate = st.integers(0, 9)
    return [PlanSeat(str(seat), 0, draw(coordinate), draw(coordinate)) for seat in range(seats)]


@st.composite
def drawn_rows(draw: st.DrawFn) -> list[PlanRow]:
    """Rows whose seats are drawn anywhere."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    return [PlanRow(str(row), places(draw, size)) for row, size in enumerate(sizes)]


@given(rows=drawn_rows(), data=st.data())
def test_of_seats_drawn_anywhere_the_nearest_is_the_best(rows: list[PlanRow], data: st.DataObject) -> None:
    layout = SectionLayout("A", 1, [FLOOR], (4, 4), rows)
    pool = layout.pool(FLOOR, accessible=False)
    far = {
        f"A-{row.label}-{seat.label}": ((seat.x - 4) ** 2 + (seat.y - 4) ** 2, place)
        for place, (row, seat) in enumerate((row, seat) for row in rows for seat in row.seats)
    }
    free = set(data.draw(st.lists(st.sampled_from(list(far)), min_size=1)))
    best = pool.best_run(layout.find(list(free))[0], 1, orphans=True)
    assert best is not None
    assert layout.name_of(best) == min(free, key=far.__getitem__)


def test_what_is_kept_of_earlier_looks_is_bounded() -> None:
    layout = SectionLayout("A", 1, [FLOOR], (0, 0), [PlanRow("1", [PlanSeat(str(at), 0, at, 0) for at in range(99)])])
    pool = layout.pool(FLOOR, accessible=False)
    for count in range(1, 4 * RUNS_MAX_SIZES):
        assert pool.best_run(layout.seats, count, orphans=False) == 0
    assert len(pool._runs) == RUNS_MAX_SIZES


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (SeatPool, "row_runs", with_orphans),
        (tables.seating.best_available, "_steps", lambda _: ()),
        (tables.seating.best_available, "_any_within", lambda bits, _: ~0),
        (RowRuns, "_look", look_once),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_trying_all_notices_a_choice_without(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    quick = settings(max_examples=2_000, deadline=None, phases=[Phase.generate], derandomize=True, database=None)
    case = given(hall=halls(), count=st.integers(1, 9), accessible=st.booleans())
    with pytest.raises((AssertionError, KeyError, IndexError)):
        quick(case(lambda hall, count, accessible: check(hall, count, together=True, accessible=accessible)))()
