"""Results: medians and their spread, what a partial run replaces, ratios, machines."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from lab.bench.archive import Measured, Results, merged, read, read_series, summary, write, write_series

HERE = {"cores": "2", "processor": "p", "memory": "24 GiB", "python": "3.11.9"}
MANY, HOT = "ledger.decisions_per_worker_cpu_s", "ledger.hot_decisions_per_worker_cpu_s"
RATIO = "ledger.hot_event_ratio"


def measured(median: float, commit: str = "aaa", date: str = "2030-01-01") -> Measured:
    return Measured(median=median, runs=(median,), date=date, commit=commit, measurement="ledger.many")


def made(*runs: dict[str, float]) -> dict[str, Measured]:
    return summary(runs, date="2030-01-02", commit="bbb", measurement="ledger.many", elsewhere=0.123)


def test_a_figure_is_the_median_of_its_runs_and_tells_the_spread() -> None:
    figure = made({MANY: 10.0}, {MANY: 40.0}, {MANY: 20.0})[MANY]
    assert (figure.median, figure.least, figure.most) == (20, 10, 40)
    assert list(figure.runs) == [10, 40, 20]
    assert (figure.date, figure.commit, figure.elsewhere) == ("2030-01-02", "bbb", 0.12)


def test_a_figure_that_a_run_lacks_is_the_median_of_the_others_and_never_zero() -> None:
    figures = made({MANY: 10.0}, {HOT: 3.0}, {MANY: 12.0})
    assert figures[MANY].median == 11
    assert figures[HOT].runs == (3,)
    assert RATIO not in figures


def test_a_figure_that_nobody_described_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"ledger\.unheard_of"):
        made({"ledger.unheard_of": 1.0})


def test_a_partial_run_replaces_its_own_figures_and_keeps_the_others() -> None:
    known = Results(machine=HERE, figures={MANY: measured(1), "ledger.idle_p50_ms": measured(9)})
    after = merged(known, HERE, made({MANY: 2.0}))
    assert {key: figure.median for key, figure in after.figures.items()} == {MANY: 2, "ledger.idle_p50_ms": 9}
    assert after.figures["ledger.idle_p50_ms"].commit == "aaa"


def test_other_versions_are_the_same_machine_and_other_hardware_is_not() -> None:
    known = Results(machine=HERE, figures={MANY: measured(1)})
    assert MANY in merged(known, HERE | {"python": "3.11.10"}, {}).figures
    assert merged(known, HERE | {"cores": "64"}, {}).figures == {}


def test_a_ratio_is_that_of_the_medians_of_one_commit() -> None:
    figures = {MANY: measured(200), HOT: replace(measured(150), runs=(150, 100, 180))}
    ratio = merged(Results(), HERE, figures).figures[RATIO]
    assert (ratio.median, ratio.least, ratio.most) == (0.75, 0.5, 0.9)


def test_a_ratio_of_two_commits_is_left_out_even_if_it_was_there() -> None:
    known = Results(machine=HERE, figures={MANY: measured(200), HOT: measured(150), RATIO: measured(0.75)})
    after = merged(known, HERE, {MANY: measured(300, commit="ccc")})
    assert RATIO not in after.figures


def test_what_is_written_is_read_again_and_latest_is_flat(tmp_path: Path) -> None:
    results = Results(machine=HERE, figures=made({MANY: 12345.678}))
    write(results, tmp_path)
    assert read(tmp_path) == results
    assert (tmp_path / "latest.json").read_text() == f'{{\n  "{MANY}": 12350.0\n}}\n'


def test_where_nothing_was_measured_nothing_is_read(tmp_path: Path) -> None:
    assert read(tmp_path) == Results()
    assert read_series("ledger.idle", tmp_path) is None
    write_series("ledger.idle", [1, 2], tmp_path)
    assert read_series("ledger.idle", tmp_path) == [1, 2]
