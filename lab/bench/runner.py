"""Makes measurements: several runs each, medians, the load of other processes meanwhile, results written at once.

Measurements that are compared with each other take turns, so that a slow hour affects all of them.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lab.bench import archive, machine
from lab.bench.archive import Measured
from lab.bench.cpu import elsewhere, machine_seconds, tree_seconds
from lab.bench.measurement import Figures, Lab, Measurement


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How measurements are made. A trial, with another scale than 1 or a profile, writes no results.

    ``pace`` is the CPU milliseconds of a fixed job, asked before each run.
    """

    runs: int | None = None
    scale: float = 1.0
    profile: bool = False
    pace: Callable[[], float] = machine.pace

    @property
    def kept(self) -> bool:
        """Whether the figures are written to the results."""
        return self.scale == 1 and not self.profile


def run(chosen: list[Measurement], options: RunOptions, console: Console, folder: Path = archive.FOLDER) -> list[str]:
    """Make the measurements; the names of those that failed."""
    for client in ("kafka", "aiokafka"):
        logging.getLogger(client).setLevel(logging.CRITICAL)  # they log every try at a broker that is not up
    failed: list[str] = []
    for _, family in groupby(chosen, _family):
        _in_turns([Trials(one, options.runs or one.runs) for one in family], options, console, folder, failed)
    return failed


def _family(measurement: Measurement) -> str:
    """The group that is compared: the baseline belongs to what it is the baseline of."""
    name = measurement.name.partition(".")[0]
    return "rest" if name == "baseline" else name


def _in_turns(family: list["Trials"], options: RunOptions, console: Console, folder: Path, failed: list[str]) -> None:
    for number in range(1, 1 + max(trials.count for trials in family)):
        for trials in family:
            name = trials.measurement.name
            if number > trials.count or name in failed:
                continue
            try:
                trials.make(number, options, console, folder)
                if number == trials.count:
                    _tell(trials, options, console, folder)
            except Exception:  # noqa: BLE001 (the others go on)
                console.print_exception(max_frames=3)
                failed.append(name)


def _tell(trials: "Trials", options: RunOptions, console: Console, folder: Path) -> None:
    job = f"{min(trials.paces):.0f} to {max(trials.paces):.0f} ms"
    around = f"other processes took up to {trials.beside:.0%} of the machine, a fixed job {job}"
    console.print(f"{trials.measurement.name}: {around}", soft_wrap=True)
    fresh = trials.summary()
    for key, figure in fresh.items():
        spread = f"({figure.least:g} to {figure.most:g} in {len(figure.runs)})"
        console.print(f"  {key:<45} [bold]{figure.median:g}[/bold] {spread}", soft_wrap=True)
    if options.kept:
        archive.write(archive.merged(archive.read(folder), machine.machine(), fresh), folder)


@dataclass
class Trials:
    """The runs of one measurement: figures, the largest load of other processes, the pace before each run."""

    measurement: Measurement
    count: int
    found: list[Figures] = field(default_factory=list)
    beside: float = 0.0
    paces: list[float] = field(default_factory=list)

    def make(self, number: int, options: RunOptions, console: Console, folder: Path) -> None:
        """Make one run."""
        self.paces.append(options.pace())
        with _progress(console) as progress:
            lab = Lab(f"{self.measurement.name} {number}/{self.count}", progress, options.scale, options.profile)
            share, figures = _alone(partial(self.measurement.measure, lab))
        self.found.append(figures)
        self.beside = max(self.beside, share)
        if lab.profile_text:
            console.print(lab.profile_text, soft_wrap=True, highlight=False, markup=False)
        if options.kept:
            for name, data in lab.series.items():
                archive.write_series(name, data, folder)

    def summary(self) -> dict[str, Measured]:
        """The figures of all runs."""
        return archive.summary(
            self.found,
            date=datetime.now(UTC).date().isoformat(),
            commit=machine.commit(),
            measurement=self.measurement.name,
            elsewhere=self.beside,
            paces=self.paces,
        )


def _alone(work: Callable[[], Figures]) -> tuple[float, Figures]:
    """Do the work; the share of the machine that other processes took meanwhile, and the figures."""
    began, all_before, ours_before = time.monotonic(), machine_seconds(), _ours()
    figures = work()
    wall, everything, ours = time.monotonic() - began, machine_seconds() - all_before, _ours() - ours_before
    return elsewhere(everything, ours, wall, os.cpu_count() or 1), figures


def _ours() -> float:
    return tree_seconds(psutil.Process())


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
