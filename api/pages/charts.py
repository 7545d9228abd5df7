"""The geometry of SVG plots: coordinates in a box of WIDTH by HEIGHT, which templates draw."""

from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 600
HEIGHT: Final = 120
_STEPS: Final = (1, 2, 5)


class Bar(NamedTuple):
    """A bar that stands on the bottom of the box."""

    x: float
    y: float
    width: float
    height: float


def axis_top(values: Sequence[float]) -> int:
    """The smallest number of the form 1, 2 or 5 times a power of ten that no value exceeds; 1 without values."""
    most = max(values, default=0)
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= most:
                return step * size
        size *= 10


def bars(values: Sequence[float]) -> list[Bar]:
    """A bar for each value, side by side; zeros have none."""
    highest, width = axis_top(values), WIDTH / max(1, len(values))
    return [
        Bar(round(place * width, 1), _y(value, highest), round(width * 0.8, 1), round(HEIGHT - _y(value, highest), 1))
        for place, value in enumerate(values)
        if value > 0
    ]


def line(values: Sequence[float], highest: float) -> str:
    """The points of a polyline through the values, from left to right."""
    step = WIDTH / max(1, len(values) - 1)
    return " ".join(f"{round(place * step, 1):g},{_y(value, highest):g}" for place, value in enumerate(values))


def step_path(points: Sequence[tuple[float, float]], highest: float) -> str:
    """The path of a step function; each point is a share of the width (0 to 1) and a value."""
    path: list[str] = []
    last = float(HEIGHT)
    for share, value in points:
        x = round(share * WIDTH, 1)
        path.append(f"{'L' if path else 'M'}{x:g},{last:g}")
        last = _y(value, highest)
        path.append(f"L{x:g},{last:g}")
    return "".join(path)


def _y(value: float, highest: float) -> float:
    return round(HEIGHT * (1 - min(1.0, value / highest)), 1) if highest else float(HEIGHT)
