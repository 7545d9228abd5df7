"""``turnstile actions``: the record of what operators did."""

import json
from contextlib import suppress

import msgspec
import rich_click as click

from connect.client_options import client_options
from ops.actions import read
from ops.terminal import console, json_option, safe
from settings import settings


@click.command(name="actions")
@json_option
def command(*, as_json: bool) -> None:
    """What operators skipped, sent again or ended, by whom and why, the oldest first."""
    for one in read(client_options(settings())):
        with suppress(RecursionError):  # somebody else wrote it: it is left out like any record that can't be read
            if as_json:
                click.echo(json.dumps(msgspec.to_builtins(one)))
            else:
                details = ", ".join(f"{name} {value}" for name, value in one.details.items())
                console.print(safe(f"{one.at:%Y-%m-%d %H:%M:%S} {one.by} {one.action}: {details}: {one.reason}"))
