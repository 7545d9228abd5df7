"""The figures as a reader sees them; the README may not fall behind, and plots need neither network nor browser."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab.bench.archive import FOLDER, Measured, Results, read, write_series
from lab.bench.pages import README, README_KEYS, SECTIONS, inserted, number, page, section, summary, table
from lab.bench.plots import PLOTS, draw, stretches

MACHINE = {"cores": "2", "processor": "p", "memory": "24 GiB", "python": "3.11.9"}
SPEED, IDLE = "ledger.decisions_per_worker_cpu_s", "ledger.idle_p99_ms"


def measured(*runs: float, elsewhere: float = 0.0) -> Measured:
    return Measured(
        median=sorted(runs)[len(runs) // 2],
        runs=runs,
        date="2030-01-01",
        commit="abc",
        measurement="ledger.many",
        elsewhere=elsewhere,
        paces=(41, 63),
    )


RESULTS = Results(machine=MACHINE, figures={IDLE: measured(31.55), SPEED: measured(12345.0, 11000.0, 13000.0)})


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_a_page_and_the_latest_results_agree(path: Path) -> None:
    text = path.read_text()
    assert inserted(text, SECTIONS[path](read())) == text, "run `python -m lab.bench readme`"


def test_the_readme_shows_only_what_hardly_depends_on_the_machine() -> None:
    results = Results(machine=MACHINE, figures=dict.fromkeys((SPEED, *README_KEYS), measured(1.0)))
    assert summary(results).count("\n| ") == 1 + len(README_KEYS) == 7
    assert table(Results(figures={SPEED: measured(1.0)}), README_KEYS).count("\n") == 1


def test_the_readme_is_read_in_a_minute() -> None:
    assert len(README.read_text().splitlines()) <= 120


def test_the_flat_and_the_detailed_results_agree() -> None:
    path = FOLDER / "latest.json"
    flat = json.loads(path.read_text()) if path.exists() else {}
    assert flat == {key: figure.median for key, figure in read().figures.items()}


def test_a_row_tells_the_median_the_spread_and_what_is_wanted() -> None:
    rows = table(RESULTS).splitlines()
    assert rows[2] == (
        "| purchases decided for each CPU second of the ledger worker | 12,345 1/s | 11,000 to 13,000 (3) | ≥ 12,000 |"
    )
    assert rows[3].endswith("| 31.6 ms | 31.6 to 31.6 (1) | ≤ 30, missed |")
    assert len(rows) == 4


def test_a_busy_machine_is_told() -> None:
    assert "25% of the machine busy elsewhere" in table(Results(figures={SPEED: measured(1.0, elsewhere=0.25)}))


def test_the_page_tells_the_machine_and_the_command_of_each_figure() -> None:
    text = page(RESULTS)
    assert "- processor: p" in text
    assert f'- `{IDLE}`: 31.55; 2030-01-01, commit abc, `make bench ONLY="ledger.many"`, fixed job 41, 63 ms' in text


def test_only_what_stands_between_the_marks_is_written_anew() -> None:
    text = README.read_text()
    after = inserted(text, section(RESULTS))
    assert section(RESULTS) in after
    assert inserted(after, summary(read())) == inserted(text, summary(read()))
    with pytest.raises(ValueError, match="lacks the lines"):
        inserted("no marks", section(RESULTS))


@pytest.mark.parametrize(("value", "text"), [(1234567.0, "1,234,567"), (0.85123, "0.851"), (99.96, "100"), (7.0, "7")])
def test_numbers_are_written_for_readers(value: float, text: str) -> None:
    assert number(value) == text


def looks(count: int) -> list[dict[str, Any]]:
    return [
        {"at": at, "done": at * 100, "cpu": {"worker": at / 50}, "resident": {"worker": 100.0 + at}}
        for at in range(count)
    ]


def test_a_long_run_is_drawn_in_few_stretches_that_leave_nothing_out() -> None:
    pairs = stretches(looks(1001))
    assert 20 <= len(pairs) <= 40
    assert all(before[1] == after[0] for before, after in pairwise(pairs))


def test_plots_are_drawn_of_the_series_that_are_there_and_no_others(tmp_path: Path) -> None:
    write_series("ledger.million", looks(200), tmp_path)
    drawn = draw(tmp_path)
    assert {path.stem for path in drawn} == {name for name, source, _ in PLOTS if source == "ledger.million"}
    assert all(path.read_text().startswith("<svg") for path in drawn)


def test_latencies_are_drawn(tmp_path: Path) -> None:
    write_series("ledger.idle", [1.0, 2.0, 3.0], tmp_path)
    assert draw(tmp_path)


def test_a_season_and_an_outage_are_drawn(tmp_path: Path) -> None:
    write_series("soak", [one | {"disk": 1.0} for one in looks(100)], tmp_path)
    write_series("soak.probes", [{"at": number / 10, "ms": 5.0} for number in range(100)], tmp_path)
    write_series("outage.api", [{"at": -1.0, "well": True, "seconds": 0.1}], tmp_path)
    assert {path.stem for path in draw(tmp_path)} == {"soak-cost", "soak-memory", "soak-latency", "outage-api"}
