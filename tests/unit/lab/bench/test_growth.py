"""That the costs of growth are measured: on a hundredth of the season, where nothing has grown much."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from lab.bench.figures import LEDGER
from lab.bench.growth import growth


def test_every_ratio_is_measured() -> None:
    lab: Any = SimpleNamespace(count=lambda number: max(1, number // 100), step=lambda _: nullcontext())
    found = growth(lab)
    assert found.keys() == {figure.key for figure in LEDGER if figure.key.startswith("ledger.growth_")}
    assert all(ratio > 0 for ratio in found.values())
