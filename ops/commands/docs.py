"""``turnstile docs``: the pages of docs/ that are made from the code, and the dashboard of runbooks, in a checkout."""

import rich_click as click

from ops.lazy_commands import LazyCommands

PAGES = {
    "settings": "settings_table",
    "metrics": "metrics_table",
    "runbooks": "runbooks_dashboard",
    "openapi": "openapi_document",
    "views": "views_document",
    "asyncapi": "asyncapi_document",
    "schemas": "schemas_document",
}


@click.group(name="docs")
def command() -> None:
    """Print a page of docs/ that is made from the code, or write it where it belongs. In a checkout only."""


command.commands = LazyCommands({name: f"ops.reference.{module}:command" for name, module in PAGES.items()})
