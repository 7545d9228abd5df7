"""What was measured: medians with their spread, merged into ``lab/bench/results/``, never mixed between machines.

A run replaces the figures that it measured and leaves the others, each with its own date and commit. A
figure that was not measured is absent.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec import json as codec

from lab.bench.figures import CATALOGUE, RATIOS
from lab.bench.machine import same_host

FOLDER: Final = Path(__file__).parent / "results"


class Measured(Struct, frozen=True, kw_only=True):
    """One figure: the median of its runs, all of them in order, and where they come from.

    ``elsewhere`` is the largest share of the machine (0 to 1) that other processes took during a run, ``paces`` are the
    milliseconds that the fixed job of lab/bench/machine.py took before each.
    """

    median: float
    runs: tuple[float, ...]
    date: str
    commit: str
    measurement: str
    elsewhere: float = 0.0
    paces: tuple[float, ...] = ()

    @property
    def least(self) -> float:
        """The smallest of the runs."""
        return min(self.runs)

    @property
    def most(self) -> float:
        """The largest of the runs."""
        return max(self.runs)


class Results(Struct, kw_only=True):
    """All figures of one machine."""

    machine: dict[str, str] = {}
    figures: dict[str, Measured] = {}


def summary(
    runs: Sequence[Mapping[str, float]],
    *,
    date: str,
    commit: str,
    measurement: str,
    elsewhere: float,
    paces: Sequence[float] = (),
) -> dict[str, Measured]:
    """The medians of a measurement's runs. Raises KeyError for a figure that the catalogue lacks."""
    keys = sorted({key for run in runs for key in run})
    unknown = [key for key in keys if key not in CATALOGUE]
    if unknown:
        raise KeyError(f"not in lab/bench/figures.py: {', '.join(unknown)}")
    made = {}
    for key in keys:
        values = tuple(_rounded(run[key]) for run in runs if key in run)
        made[key] = Measured(
            median=_rounded(statistics.median(values)),
            runs=values,
            date=date,
            commit=commit,
            measurement=measurement,
            elsewhere=round(elsewhere, 2),
            paces=tuple(round(pace) for pace in paces),
        )
    return made


def merged(known: Results, machine: dict[str, str], fresh: Mapping[str, Measured]) -> Results:
    """The known figures with the fresh ones in their place; those of another machine are dropped."""
    figures = dict(known.figures) if same_host(known.machine, machine) else {}
    figures |= fresh
    return Results(machine=machine, figures=dict(sorted(_with_ratios(figures).items())))


def _with_ratios(figures: dict[str, Measured]) -> dict[str, Measured]:
    """Ratios made anew; one whose parts are of different commits is left out."""
    figures = {key: value for key, value in figures.items() if key not in RATIOS}
    for key, (over, under) in RATIOS.items():
        above, below = figures.get(over), figures.get(under)
        if above and below and above.commit == below.commit and below.median:
            figures[key] = _ratio(above, below)
    return figures


def _ratio(above: Measured, below: Measured) -> Measured:
    """The ratio of the medians; its spread is that of each upper run against the lower median."""
    return Measured(
        median=_rounded(above.median / below.median),
        runs=tuple(_rounded(value / below.median) for value in above.runs),
        date=max(above.date, below.date),
        commit=above.commit,
        measurement=f"{above.measurement} {below.measurement}",
        elsewhere=max(above.elsewhere, below.elsewhere),
        paces=above.paces + below.paces,
    )


def read(folder: Path = FOLDER) -> Results:
    """What is there; nothing, where nothing was measured yet."""
    path = folder / "details.json"
    return codec.decode(path.read_bytes(), type=Results) if path.exists() else Results()


def write(results: Results, folder: Path = FOLDER) -> None:
    """``latest.json`` (flat) and ``details.json`` (runs, dates, commits, machine)."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = {key: measured.median for key, measured in results.figures.items()}
    (folder / "latest.json").write_text(json.dumps(flat, indent=2) + "\n")
    (folder / "details.json").write_bytes(codec.format(codec.encode(results), indent=2) + b"\n")


def write_series(name: str, data: Any, folder: Path = FOLDER) -> None:
    """Keep what a plot is made from."""
    path = folder / "series" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data) + "\n")


def read_series(name: str, folder: Path = FOLDER) -> Any:
    """What ``write_series`` kept, or None."""
    path = folder / "series" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _rounded(value: float) -> float:
    """Four digits are more than any of these figures holds."""
    return float(f"{value:.4g}")
