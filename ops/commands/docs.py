"""``turnstile docs``: the pages of docs/ that are made from the code, and the dashboard of runbooks, in a checkout."""

import rich_click as click

from ops.lazy_commands import LazyCommands

PAGES = {
    "settings": "settings_table:command",
    "metrics": "metrics_table:command",
    "runbooks": "runbooks_dashboard:command",
    **{name: f"documents:{name}" for name in ("openapi", "views", "asyncapi", "schemas")},
}


@click.group(name="docs")
def command() -> None:
    """Print a page of docs/ that is made from the code, or write it where it belongs. In a checkout only."""


command.commands = LazyCommands({name: f"ops.reference.{place}" for name, place in PAGES.items()})
