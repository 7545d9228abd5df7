"""``turnstile connectors``: Debezium's connectors in Kafka Connect, with their tasks and replication slots."""

import json
from collections.abc import Callable
from contextlib import closing

import rich_click as click
from rich.table import Table

import connect.__main__ as registering
from connect.client_options import client_options
from connect.connectors import skipping
from connect.connectors.configuration import Connector
from connect.connectors.configuration import connectors as wanted
from connect.connectors.rest_client import MISSING_CONNECTOR, ConnectClient
from connect.connectors.resync import resync
from connect.polling import Polling
from ops import actions
from ops.terminal import console, json_option, safe
from settings import settings

name_argument = click.argument("name")


@click.group(name="connectors")
def command() -> None:
    """The capture of rows from PostgreSQL into Kafka: look, restart, pause. For new events that nobody can find."""


@command.command(name="list")
@json_option
def list_connectors(*, as_json: bool) -> None:
    """Each connector's state and the error that it stopped with. Exit code 1 if one has failed or is missing."""
    with closing(ConnectClient(settings().connect_url)) as worker:
        states = worker.states()
    table = Table("connector", "state", "slot", "error", box=None)
    told = {}
    for connector in wanted(settings()):
        state = states.get(connector.name, MISSING_CONNECTOR)
        told[connector.name] = {"states": state.states, "slot": connector.slot, "error": state.error}
        table.add_row(connector.name, safe(state.summary), connector.slot, safe(state.error))
    if as_json:
        click.echo(json.dumps(told))
    else:
        console.print(table)
    if any({"FAILED", "MISSING"} & set(one["states"]) for one in told.values()):
        raise SystemExit(1)


@command.command()
@name_argument
def restart(name: str) -> None:
    """Start a failed connector and its task again, after what it stopped at was repaired. Loses and repeats nothing."""
    _tell(name, ConnectClient.restart)
    click.echo(f"{name}: asked to start again; `turnstile connectors list` shows the result")


@command.command()
@name_argument
def pause(name: str) -> None:
    """Let a connector wait, before PostgreSQL is worked on. Its slot keeps the log meanwhile, so the disk fills."""
    _tell(name, ConnectClient.pause)
    click.echo(f"{name}: paused until `turnstile connectors resume {name}`; PostgreSQL keeps its log for it")


@command.command()
@name_argument
def resume(name: str) -> None:
    """Let a paused connector go on from where it was."""
    _tell(name, ConnectClient.resume)
    click.echo(f"{name}: goes on")


@command.command()
@name_argument
@click.option("--reason", required=True, help="Why, for `turnstile actions`.")
@click.option("--yes", is_flag=True, help="Do it; without it only what would be skipped is shown.")
def skip(name: str, reason: str, *, yes: bool) -> None:
    """Get a failed connector past a row that is too large for a record. This one change is in no topic then.

    Only where `list` shows RecordTooLargeException. The row is named; repair it, and it is captured again.
    """
    connector, now = _known(name), settings()
    with closing(ConnectClient(now.connect_url)) as worker:
        with skipping.open_pending_changes(now) as waiting:
            change = skipping.find_oversized_change(worker, connector, waiting).change
        told = f"{change.operation} of {change.table}, row {safe(change.key)}, about {change.size} bytes"
        console.print(f"{name}: {told} at {written(change.lsn)} is lost, and nothing else", soft_wrap=True)
        if not yes:
            raise click.ClickException("nothing was done; with --yes it is skipped")
        details = {"connector": name, "lsn": change.lsn, "table": change.table, "row": change.key}
        actions.record(client_options(now), "connectors skip", reason, **details)
        skipping.skip_change(worker, connector, change, Polling(now.bootstrap_seconds))
    click.echo(f"{name}: continues after it. Make the row smaller by SQL, and it is captured; then `turnstile verify`")


def written(lsn: int) -> str:
    """A position in the log as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


@command.command()
def register() -> None:
    """Make topics and connectors as they have to be, and see a new row through each. Any number of times.

    Exit code 1 with a line that says what has to be put right, 2 where a server doesn't answer.
    """
    raise SystemExit(registering.main())


@command.command(name="resync")
def take_snapshots() -> None:
    """Take a new snapshot where a replication slot is lost; then run `turnstile reindex`."""
    done = resync(settings())
    for name in done:
        click.echo(f"{name}: takes a new snapshot, new rows flow; run `turnstile reindex`")
    if not done:
        click.echo("no slot is lost, nothing to do")


def _tell(name: str, what: Callable[[ConnectClient, str], None]) -> None:
    connector = _known(name)
    with closing(ConnectClient(settings().connect_url)) as worker:
        what(worker, connector.name)


def _known(name: str) -> Connector:
    known = {connector.name: connector for connector in wanted(settings())}
    if name not in known:
        raise click.BadParameter(f"{name} is none of {', '.join(known)}")
    return known[name]
