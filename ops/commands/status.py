"""``turnstile status``: every part in one line."""

import json
import sys
from typing import Final

import rich_click as click
from rich.table import Table

from ops.part_status import PartState
from ops.status import look, worst
from ops.terminal import console, json_option, safe
from settings import settings

COLOURS: Final = {PartState.OK: "green", PartState.WARN: "yellow", PartState.DOWN: "red"}


@click.command(name="status")
@json_option
def command(*, as_json: bool) -> None:
    """Every part in one line: is it up, how far behind, its last error. The first thing to run, whatever is wrong.

    Exit code 1 if a part is down.
    """
    parts = look(settings())
    whole = worst(parts)
    if as_json:
        told = [{"name": it.name.strip(), "state": it.state, "text": it.text, **it.facts} for it in parts]
        click.echo(json.dumps({"state": whole, "parts": told}))
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for part in parts:
            table.add_row(safe(part.name), f"[{COLOURS[part.state]}]{part.state}[/]", safe(part.text))
        console.print(table)
    sys.exit(whole is PartState.DOWN)
