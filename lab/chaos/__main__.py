"""``python -m lab.chaos``: sales while everything fails, and whether the promises held. ``make chaos`` runs one."""

import rich_click as click

from ops.lazy_commands import LazyCommands


@click.group()
def main() -> None:
    """Sell tickets while everything is killed, paused, cut off and told twice, and find out whether it was right."""


main.commands = LazyCommands(
    {
        "run": "lab.chaos.commands:run",
        "controls": "lab.chaos.commands:run_controls",
        "check": "lab.chaos.commands:check",
        "mutant": "lab.chaos.mutants.registry:command",
    }
)

if __name__ == "__main__":
    main()
