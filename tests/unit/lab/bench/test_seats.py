"""That decisions about seats are measured: on one event, once."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from lab.bench.figures import SEATS
from lab.bench.seats import rules


def test_every_size_of_a_section_is_measured() -> None:
    lab: Any = SimpleNamespace(count=lambda number: max(1, number // 100), step=lambda _: nullcontext())
    found = rules(lab)
    assert found.keys() == {figure.key for figure in SEATS if "rules_ratio" in figure.key}
    assert all(ratio > 0 for ratio in found.values())
