"""The geometry of plots and of the pipeline's diagram."""

import re

import pytest

from api.board.components import unknown_components
from api.pages.charts import HEIGHT, WIDTH, axis_top, bars, line, step_path
from api.pages.pipeline_diagram import ARROWS, SIZE


@pytest.mark.parametrize(
    ("values", "end"), [([], 1), ([0], 1), ([1], 1), ([1.5], 2), ([3], 5), ([6, 2], 10), ([101], 200), ([700], 1_000)]
)
def test_an_axis_ends_at_a_round_number(values: list[float], end: int) -> None:
    assert axis_top(values) == end


def test_bars_stand_side_by_side_and_nothing_has_none() -> None:
    first, second = bars([5, 0, 10])
    assert (first.height, second.height) == (HEIGHT / 2, HEIGHT)
    assert (first.x, second.x) == (0, round(2 * WIDTH / 3, 1))
    assert all(bar.y + bar.height == HEIGHT for bar in (first, second))


def test_a_line_goes_from_the_left_to_the_right() -> None:
    assert line([0, 5, 20], 10) == f"0,{HEIGHT} {WIDTH // 2},{HEIGHT // 2} {WIDTH},0"
    assert line([3], 10).startswith("0,")


def test_stairs_rise_where_something_was_sold() -> None:
    assert step_path([(0.0, 0), (0.5, 5), (1.0, 5)], 10) == (
        f"M0,{HEIGHT}L0,{HEIGHT}L{WIDTH // 2},{HEIGHT}L{WIDTH // 2},{HEIGHT // 2}L{WIDTH},{HEIGHT // 2}"
        f"L{WIDTH},{HEIGHT // 2}"
    )


def test_every_way_lies_in_the_picture_and_flows_with_a_part() -> None:
    parts = {part.id for part in unknown_components()}
    for path, flow in ARROWS:
        assert flow in parts
        xs = [int(x) for x in re.findall(r"[MH](\d+)", path)]
        ys = [int(y) for y in re.findall(r"(?:,|V)(\d+)", path)]
        assert max(xs) <= SIZE[0]
        assert max(ys) <= SIZE[1]
