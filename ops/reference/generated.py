"""The command of a page of docs/ that is made from the code. Tests compare the page with the file."""

from collections.abc import Callable
from pathlib import Path

import rich_click as click


def page_command(name: str, path: Path, page: Callable[[], str]) -> click.Command:
    """The command that prints the page, or stores it at ``path``."""

    @click.command(name=name, help=f"Print docs/{path.name} as the code has it now.")
    @click.option("--write", is_flag=True, help="Store it instead.")
    def command(*, write: bool) -> None:
        if write:
            path.write_text(page())
        else:
            click.echo(page(), nl=False)

    return command
