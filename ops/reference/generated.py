"""The command of a file that is made from the code or from another file. Tests compare what it prints with the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import rich_click as click

ROOT: Final = Path(__file__).parents[2]


def head_of(page: Path, table: str) -> str:
    """What people have written at the top of a page, above the line ``table``. Raises ValueError without that line."""
    text = page.read_text()
    return text[: text.index(table)]


def page_command(name: str, path: Path, page: Callable[[], str]) -> click.Command:
    """The command that prints the page, or stores it at ``path``."""

    @click.command(name=name, help=f"Print {path.name} as it has to be now.")
    @click.option("--write", is_flag=True, help="Store it instead.")
    def command(*, write: bool) -> None:
        if write:
            path.write_text(page())
        else:
            click.echo(page(), nl=False)

    return command
