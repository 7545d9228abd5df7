"""Makes measurements: several runs each, medians, what else the machine did meanwhile, results written at once."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import archive, machine
from bench.archive import Measured
from bench.cpu import elsewhere, machine_seconds, tree_seconds
from bench.lab import Figures, Lab, Measurement


@dataclass(frozen=True, slots=True)
class Asked:
    """How measurements are to be made. A scale other than 1 is a trial: nothing of it is written."""

    runs: int | None = None
    scale: float = 1.0
    profile: bool = False

    @property
    def kept(self) -> bool:
        """Whether the figures go into the results."""
        return self.scale == 1 and not self.profile


def run(chosen: list[Measurement], asked: Asked, console: Console, folder: Path = archive.FOLDER) -> list[str]:
    """Make the measurements one after the other; the names of those that failed."""
    for client in ("kafka", "aiokafka"):
        logging.getLogger(client).setLevel(logging.CRITICAL)  # they tell of every try at a broker that is young or dead
    failed = []
    for measurement in chosen:
        try:
            fresh = measure(measurement, asked, console, folder)
        except Exception:  # noqa: BLE001 (one that fails must not cost the others)
            console.print_exception(max_frames=3)
            failed.append(measurement.name)
            continue
        for key, figure in fresh.items():
            spread = f"({figure.least:g} to {figure.most:g} in {len(figure.runs)})"
            console.print(f"  {key:<45} [bold]{figure.median:g}[/bold] {spread}", soft_wrap=True)
        if asked.kept:
            archive.write(archive.merged(archive.read(folder), machine.machine(), fresh), folder)
    return failed


def measure(measurement: Measurement, asked: Asked, console: Console, folder: Path) -> dict[str, Measured]:
    """All runs of one measurement."""
    count = asked.runs or measurement.runs
    found: list[Figures] = []
    beside = 0.0
    paces = []
    for number in range(1, count + 1):
        paces.append(machine.pace())
        with _progress(console) as progress:
            lab = Lab(f"{measurement.name} {number}/{count}", progress, asked.scale, asked.profile)
            share, figures = _alone(partial(measurement.measure, lab))
        found.append(figures)
        beside = max(beside, share)
        if lab.profile_text:
            console.print(lab.profile_text, soft_wrap=True, highlight=False, markup=False)
        if asked.kept:
            for name, data in lab.series.items():
                archive.write_series(name, data, folder)
    around = (
        f"other processes took up to {beside:.0%} of the machine, a fixed job {min(paces):.0f} to {max(paces):.0f} ms"
    )
    console.print(f"{measurement.name}: {around}", soft_wrap=True)
    return archive.summary(
        found,
        date=datetime.now(UTC).date().isoformat(),
        commit=machine.commit(),
        measurement=measurement.name,
        elsewhere=beside,
        paces=paces,
    )


def _alone(work: Callable[[], Figures]) -> tuple[float, Figures]:
    """Do the work; the share of the machine that others took meanwhile, and the figures."""
    began, all_before, ours_before = time.monotonic(), machine_seconds(), _ours()
    figures = work()
    wall, everything, ours = time.monotonic() - began, machine_seconds() - all_before, _ours() - ours_before
    return elsewhere(everything, ours, wall, os.cpu_count() or 1), figures


def _ours() -> float:
    return tree_seconds(psutil.Process())


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
