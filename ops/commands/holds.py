"""``turnstile holds``: which accounts hold tickets, and how their holds are ended."""

import json
import sys
from uuid import UUID

import rich_click as click

from ops import holding
from ops.terminal import SHOWN_LINES_MAX, json_option
from settings import settings


@click.group(name="holds")
def command() -> None:
    """Look at who holds tickets, and end holds before their time: when one account keeps everybody else from buying."""


@command.command(name="list")
@click.option("--event", type=click.UUID, help="Of this event only.")
@json_option
def list_holders(event: UUID | None, *, as_json: bool) -> None:
    """Print who holds the most tickets now, by event, with the time at which the last of these holds ends."""
    for each in holding.holders(settings(), event, SHOWN_LINES_MAX):
        if as_json:
            click.echo(json.dumps(each._asdict(), default=str))
            continue
        what = f"{each.tickets} tickets in {each.holds} holds until {each.until}"
        click.echo(f"event {each.event} account {each.account}: {what}")


@command.command()
@click.argument("event", type=click.UUID)
@click.option("--account", type=click.UUID, help="The holds of this account only.")
@click.option(
    "--keep", type=click.IntRange(min=0), help="Leave each account its oldest holds, up to this number of tickets."
)
@click.option("--reason", required=True, help="Why; it is kept with the action (`turnstile actions`).")
def end(event: UUID, account: UUID | None, keep: int | None, reason: str) -> None:
    """End holds of EVENT: all those of an account, or with --keep those beyond this many tickets of each account.

    The tickets are on sale again at once, and the accounts get a mail. What was confirmed meanwhile stays sold. Exit
    code 1 if there was nothing to end.
    """
    if account is None and keep is None:
        raise click.UsageError("name an account, or how many tickets each account may keep")
    ended = holding.end(settings(), event, account, keep or 0, reason)
    tickets, accounts = sum(each.tickets for each in ended), len({each.account for each in ended})
    click.echo(f"{len(ended)} holds of {accounts} accounts with {tickets} tickets are ended")
    sys.exit(not ended)
