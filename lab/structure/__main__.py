"""``python -m lab.structure``: how a checkout is built, in figures; several checkouts beside each other."""

import json
from pathlib import Path
from typing import Final

import rich_click as click
from rich.console import Console
from rich.table import Table

from lab.structure.figures import Figure, figures
from stack.user_path import UserPath

HERE: Final = Path(__file__).parents[2]

trees = click.option(
    "--tree",
    "trees",
    multiple=True,
    default=[HERE],
    type=UserPath(exists=True, file_okay=False, path_type=Path),
    help="A checkout; name two to compare them. This one by default.",
)


@click.command()
@trees
@click.option("--detail", is_flag=True, help="Name what stands behind the figures of the last checkout.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object by checkout, with the details.")
def main(trees: tuple[Path, ...], *, detail: bool, as_json: bool) -> None:
    """Print figures of modules, imports and names. Only Git and the source are read.

    The product is all but tests and lab. An import chain counts product modules; the modules of a circle count each.
    A module that holds no more than a docstring is not counted as one.
    """
    found = [figures(tree) for tree in trees]
    if as_json:
        click.echo(
            json.dumps({str(tree): [it._asdict() for it in some] for tree, some in zip(trees, found, strict=True)})
        )
        return
    console = Console(highlight=False)
    console.print(_table(found, [tree.resolve().name for tree in trees]))
    for figure in found[-1] if detail else ():
        if figure.detail:
            console.print(f"{figure.name}: {figure.detail}", markup=False, soft_wrap=True)


def _table(columns: list[list[Figure]], titles: list[str]) -> Table:
    table = Table("", box=None, pad_edge=False)
    for title in titles:
        table.add_column(title if len(titles) > 1 else "", justify="right")
    for row in zip(*columns, strict=True):
        table.add_row(row[0].name, *(f"{it.value:,g}" for it in row))
    return table


if __name__ == "__main__":
    main()
