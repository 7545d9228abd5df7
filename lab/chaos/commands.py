"""The commands of ``python -m lab.chaos`` that people use."""

import logging
import signal
import sys
import tempfile
from pathlib import Path

import rich_click as click
from rich.console import Console

from lab.chaos import controls, report
from lab.chaos.checker import judge
from lab.chaos.evidence import Evidence
from lab.chaos.mutants.registry import MUTANTS
from lab.chaos.run import Options, Run

console = Console(highlight=False, soft_wrap=True)
REPORTS = Path("lab/chaos/reports")


@click.command()
@click.option("--seed", default=1, show_default=True, help="Makes the same load and the same faults again.")
@click.option("--minutes", default=10.0, show_default=True, help="How long the sale lasts.")
@click.option("--without", multiple=True, help="Switch a safety mechanism off, to see that it is missed.")
@click.option("--reports", default=REPORTS, show_default=True, type=click.Path(path_type=Path))
def run(seed: int, minutes: float, without: tuple[str, ...], reports: Path) -> None:
    """One run; exit code 1 if a promise is broken."""
    unknown = set(without) - MUTANTS.keys()
    if unknown:
        sys.exit(f"no mechanism is called {', '.join(sorted(unknown))}; there are {', '.join(MUTANTS)}")
    _prepare()
    folder = report.folder(reports, seed, minutes, without)
    with tempfile.TemporaryDirectory(prefix="turnstile-chaos-", ignore_cleanup_errors=True) as home:
        options = Options(seed, minutes * 60, Path(home) / "home", folder, without)
        result = Run(options, console.print).carry_out()
    report.write(folder, options, result)
    report.show(console, folder, options, result)
    sys.exit(1 if result.verdict.broken else 0)


@click.command(name="controls")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, help="Only those that switch this mechanism off.")
@click.option("--seconds", default=controls.SECONDS, show_default=True, help="How long each sale lasts.")
@click.option("--reports", default=REPORTS, show_default=True, type=click.Path(path_type=Path))
def run_controls(seed: int, only: tuple[str, ...], seconds: float, reports: Path) -> None:
    """Switch every safety mechanism off in turn; exit code 1 if the checker does not notice one."""
    _prepare()
    wrong: list[str] = []
    for control in controls.CONTROLS:
        if only and not set(only) & set(control.without):
            continue
        console.print(f"off: {', '.join(control.without)}")
        folder = report.folder(reports, seed, seconds / 60, control.without)
        with tempfile.TemporaryDirectory(prefix="turnstile-chaos-", ignore_cleanup_errors=True) as home:
            made = controls.options(control, seed, Path(home) / "home", folder, seconds)
            wrong += controls.carry_out(control, made, console.print)
    for line in wrong:
        console.print(f"not as it must be: {line}", markup=False)
    console.print("the checker misses something" if wrong else "the checker notices everything that is off")
    sys.exit(1 if wrong else 0)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def check(folder: Path) -> None:
    """Judge the evidence of an earlier run once more."""
    verdict = judge(Evidence.load(folder))
    report.show_verdict(console, verdict)
    sys.exit(1 if verdict.broken else 0)


def _prepare() -> None:
    """End in good order on SIGTERM, too, and silence the clients: what they say of outages is in the history."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in ("kafka", "aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
