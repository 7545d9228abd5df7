"""``python -m lab.demo``: what shows Turnstile at work."""

import rich_click as click

from ops.lazy_commands import LazyCommands


@click.group()
def main() -> None:
    """Show Turnstile at work: a catalogue, an on-sale, a restore, an upgrade, pictures of its pages."""


main.commands = LazyCommands(
    {
        "sell": "lab.demo.sell:command",
        "hall": "lab.demo.hall:command",
        "catalogue": "lab.demo.catalogue:command",
        "drill": "lab.demo.drill:command",
        "rehearsal": "lab.demo.rehearsal:command",
        "screenshots": "lab.demo.screenshots:command",
    }
)

if __name__ == "__main__":
    main()
