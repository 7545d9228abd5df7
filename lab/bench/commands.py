"""The commands of ``python -m lab.bench`` that people use."""

import signal
import sys

import rich_click as click
from rich.console import Console
from rich.table import Table

from lab.bench import archive, pages, plots, registry, runner

console = Console(highlight=False)


@click.command(name="list")
def list_all() -> None:
    """Print every measurement."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for measurement in registry.ALL.values():
        table.add_row(measurement.name, measurement.about)
    console.print(table)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--runs", type=click.IntRange(1, 20), help="Runs of each, instead of its own number.")
@click.option("--scale", default=1.0, show_default=True, help="Everything smaller, as a trial; nothing is written.")
@click.option("--profile", is_flag=True, help="Sample the ledger workers and print where the CPU went.")
def run(names: tuple[str, ...], runs: int | None, scale: float, profile: bool) -> None:
    """Make the measurements of these names (``ledger.many``, or ``ledger`` for all of them), or every one."""
    try:
        chosen = registry.chosen(names)
    except registry.NoMeasurement as error:
        sys.exit(f"{error}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the stack is stopped, too
    options = runner.RunOptions(runs, scale, profile)
    try:
        failed = runner.run(chosen, options, console)
    finally:
        if options.kept:
            _publish()
    sys.exit(f"failed: {', '.join(failed)}" if failed else None)


@click.command(name="readme")
def readme() -> None:
    """Write the figures that are there into README, docs/performance.md and latest.md, and draw the plots."""
    _publish()


def _publish() -> None:
    pages.write(archive.read())
    for path in plots.draw():
        console.print(f"drawn: {path}", soft_wrap=True)
