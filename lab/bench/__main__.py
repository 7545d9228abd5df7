"""``python -m lab.bench``: the measurements."""

import rich_click as click

from ops.lazy_commands import LazyCommands


@click.group()
def main() -> None:
    """Measure Turnstile on embedded servers of its own; figures go to lab/bench/results/."""


main.commands = LazyCommands(
    {
        "list": "lab.bench.commands:list_all",
        "run": "lab.bench.commands:run",
        "readme": "lab.bench.commands:readme",
        # processes of a measurement
        "load": "lab.bench.rest_load:command",
        "attack": "lab.bench.hostile:command",
        "pay": "lab.bench.payments_load:command",
        "baseline": "lab.bench.baseline.serve:command",
        "sample": "lab.bench.sampler:command",
    }
)

if __name__ == "__main__":
    main()
