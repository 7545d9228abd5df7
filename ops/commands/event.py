"""``turnstile event``: the stock of an event at a moment of the log."""

import json
import sys
from uuid import UUID

import msgspec
import rich_click as click

from ops.as_of import as_of_option
from ops.history import open_past, stock_text
from ops.terminal import console, json_option, safe
from settings import settings
from tables.ledger.as_of import AsOf


@click.command(name="event")
@click.argument("event", type=click.UUID)
@as_of_option
@json_option
def command(event: UUID, as_of: AsOf, *, as_json: bool) -> None:
    """Print the stock of EVENT now or at an earlier moment, by deciding its commands again from the log.

    Begins at the newest snapshot before the moment, if there is one. Read-only. About 100 s of a core for a million
    commands of the event, 20 s for a million others in its partition. Exit code 1 if the ledger did not know the event,
    2 if neither the log nor a snapshot reaches back.
    """
    with open_past(settings(), event, as_of) as past:
        at = past.at
        for each in past.log:
            at = each.at
            past.replay.apply(each)
        found = past.replay.stock(at if as_of.at is None else as_of.at)
    if found is None:
        sys.exit("the ledger did not know this event then")
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
        return
    console.print(safe(f"{found.title}: {found.status}, version {found.version}, after offset {found.offset}"))
    for kind in found.ticket_types:
        console.print(safe(f"  {kind.name}: {stock_text(kind)}, {kind.state}"))
