"""Making measurements: runs, medians, failures, trials."""

from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lab.bench.archive import read, read_series
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.runner import RunOptions, run

PACE_MS = 50.0
MANY, IDLE = "ledger.decisions_per_worker_cpu_s", "ledger.idle_p99_ms"


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO())


def said(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def options(**more: Any) -> RunOptions:
    """Options without the fixed job, which takes half a second."""
    return RunOptions(pace=lambda: PACE_MS, **more)


def rising(key: str = MANY, name: str = "ledger.many") -> Measurement:
    """Finds 10, 20, 30, … scaled."""
    numbers = count(10, 10)

    def measure(lab: Lab) -> Figures:
        lab.series[name] = [lab.count(1000)]
        return {key: float(lab.count(next(numbers)))}

    return Measurement(name, "counts", measure)


def broken(lab: Lab) -> Figures:
    raise RuntimeError("the broker fell over")


def test_the_fixed_job_takes_a_while() -> None:
    assert RunOptions().pace() > 0


def test_the_median_of_three_runs_is_kept_with_its_series(tmp_path: Path, console: Console) -> None:
    assert run([rising()], options(), console, tmp_path) == []
    figure = read(tmp_path).figures[MANY]
    assert list(figure.runs) == [10, 20, 30]
    assert figure.median == 20
    assert list(figure.paces) == [PACE_MS] * 3
    assert figure.measurement == "ledger.many"
    assert read_series("ledger.many", tmp_path) == [1000]
    assert "20 (10 to 30 in 3)" in said(console)


def test_one_that_fails_is_named_and_costs_the_others_nothing(tmp_path: Path, console: Console) -> None:
    chosen = [rising(), Measurement("ledger.hot", "fails", broken), rising(IDLE, "ledger.idle")]
    assert run(chosen, options(runs=1), console, tmp_path) == ["ledger.hot"]
    assert set(read(tmp_path).figures) == {MANY, IDLE}
    assert "the broker fell over" in said(console)


def test_what_is_compared_is_measured_by_turns(tmp_path: Path, console: Console) -> None:
    order = []

    def noting(name: str, runs: int = 2) -> Measurement:
        def measure(lab: Lab) -> Figures:
            order.append(name)
            return {}

        return Measurement(name, "notes", measure, runs=runs)

    chosen = [noting("rest.hot"), noting("baseline.hot"), noting("soak", 1), noting("mail.one", 1), noting("mail.two")]
    assert run(chosen, options(), console, tmp_path) == []
    assert order == ["rest.hot", "baseline.hot", "rest.hot", "baseline.hot", "soak", "mail.one", "mail.two", "mail.two"]


def test_one_that_fails_in_its_second_run_leaves_nothing(tmp_path: Path, console: Console) -> None:
    results = iter([{IDLE: 1.0}])
    weak = Measurement("ledger.idle", "fails then", lambda lab: next(results))
    assert run([weak, rising()], options(runs=3), console, tmp_path) == ["ledger.idle"]
    assert set(read(tmp_path).figures) == {MANY}


def test_a_later_run_replaces_only_what_it_measured(tmp_path: Path, console: Console) -> None:
    run([rising(), rising(IDLE, "ledger.idle")], options(runs=1), console, tmp_path)
    run([rising()], options(runs=2), console, tmp_path)
    figures = read(tmp_path).figures
    assert (figures[MANY].median, figures[IDLE].median) == (15, 10)


@pytest.mark.parametrize("asked", [options(runs=1, scale=0.5), options(runs=1, profile=True)])
def test_a_trial_is_told_and_not_kept(asked: RunOptions, tmp_path: Path, console: Console) -> None:
    assert run([rising()], asked, console, tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert MANY in said(console)
