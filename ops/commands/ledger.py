"""``turnstile ledger``: snapshots of its table, a restore from them, a way past commands that its log has lost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import rich_click as click
from aiokafka import TopicPartition

from connect.topics import COMMANDS
from ops import skipping
from ops.ledger_restoring import check_snapshots, restore_ledger
from ops.ledger_snapshot import make_snapshots
from ops.terminal import Duration
from settings import settings

# In the folder of the snapshots: its time is that of the last complete run, whether there was something new or not.
TAKEN: Final = "taken"
HOURS_MAX: Final = 24 * 366


@click.group(name="ledger")
def command() -> None:
    """Keep snapshots of the ledger, restore it from them, or lead it past commands that Kafka has lost.

    `skip` and `resend` are for `InputLost`; stop the workers of the role ledger first.
    """


def _offsets(verb: Callable[..., None]) -> Any:
    """The arguments of both verbs."""
    for name in ("last", "first", "partition"):
        verb = click.argument(name, type=int, metavar={"first": "FROM", "last": "TO"}.get(name))(verb)
    return click.option("--reason", required=True, help="Why; it is kept with the action (`turnstile actions`).")(verb)


@command.command()
@_offsets
def skip(partition: int, first: int, last: int, reason: str) -> None:
    """Take the offsets FROM to TO of ticket-commands for decided. Refused where the log still has one of them to give.

    Where the log ends before TO it is filled up, and commands that were written from FROM on are appended again.
    """
    _tell(skipping.skip(settings(), TopicPartition(COMMANDS, partition), first, last, reason))


@command.command()
@_offsets
def resend(partition: int, first: int, last: int, reason: str) -> None:
    """Append the commands at the offsets FROM to TO again, where the log was rewritten over decided ones.

    A command that was decided before is answered as it was; nothing happens twice.
    """
    _tell(skipping.resend(settings(), TopicPartition(COMMANDS, partition), first, last, reason))


@command.command()
@click.option("--keep", type=click.IntRange(min=1), default=8, show_default=True, help="Snapshots of each partition.")
@click.option(
    "--every-hours", type=Duration(min=0, max=HOURS_MAX, min_open=True), help="Go on, and take them this often."
)
def snapshot(keep: int, every_hours: float | None) -> None:
    """Store the ledger's records in the folder TURNSTILE_LEDGER_SNAPSHOTS, and remove all but the newest snapshots.

    `why`, `event` and the views with `asOf` begin at a snapshot where the log is cut or long. Take one more often than
    the log is kept. Workers may run. 15 s of a core for a million purchases, and as much disk as the table.
    """
    now = settings()
    if now.ledger_snapshots is None:
        raise click.ClickException("TURNSTILE_LEDGER_SNAPSHOTS names no folder")
    while True:
        for made in make_snapshots(now, now.ledger_snapshots, keep):
            click.echo(made.path)
        (now.ledger_snapshots / TAKEN).touch()
        if every_hours is None:
            return
        time.sleep(every_hours * 3600)


folder_argument = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


@command.command()
@folder_argument
def check(folder: Path) -> None:
    """Read the newest snapshots in FOLDER to their ends: can they be restored, with these settings? Needs no server."""
    found = check_snapshots(settings(), folder)
    for snapshot in found:
        click.echo(f"{snapshot.path.name} is whole")
    if not found:
        click.echo(f"{folder} has no snapshots")


@command.command()
@folder_argument
def restore(folder: Path) -> None:
    """Make the ledger what it was in the newest snapshots in FOLDER, on a Kafka that lost it, or a new one.

    What was decided later is lost. Stop API and workers first; then start them, and run `turnstile restored`.
    Refused where the ledger has other records. Any number of times.
    """
    restored = 0
    for snapshot in restore_ledger(settings(), folder):
        restored += 1
        click.echo(f"partition {snapshot.partition} is what it was after offset {snapshot.offset}")
    if not restored:
        click.echo(f"{folder} has no snapshots: nothing was restored")


def _tell(count: int) -> None:
    click.echo(f"done, {count} commands were appended again; start the workers of the role ledger")
