"""``turnstile ledger``: lead the ledger past commands that its log has lost."""

from collections.abc import Callable
from typing import Any

import rich_click as click
from aiokafka import TopicPartition

from connect.topics import COMMANDS
from ops import skipping
from settings import settings


@click.group(name="ledger")
def command() -> None:
    """Lead the ledger past commands that Kafka has lost. For `InputLost`; stop the workers of the role ledger first."""


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
    """Append the commands at the offsets FROM to TO again, where the log was written anew over decided ones.

    A command that was decided before is answered as it was; nothing happens twice.
    """
    _tell(skipping.resend(settings(), TopicPartition(COMMANDS, partition), first, last, reason))


def _tell(count: int) -> None:
    click.echo(f"done, {count} commands were appended again; start the workers of the role ledger")
