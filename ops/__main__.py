"""``turnstile``, or ``python -m ops``: the operator's command. Each command's help says when to use it."""

import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

import aiokafka.errors
import msgspec
import psycopg
import rich_click as click
from elastic_transport import TransportError
from elasticsearch import ApiError
from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

import streams.search.reindex as reindexing
from connect.connectors.rest_client import ConnectUnavailable
from connect.errors import ConnectError
from ops.actions import read as read_actions
from ops.connectors import connectors
from ops.dlq import dlq
from ops.holds import holds
from ops.ledger import ledger
from ops.promises import audit_ledger, compare_index, look_at_slots
from ops.replay import replay as replay_log
from ops.status import State, look, size, worst
from ops.text import safe
from ops.topics import read_topics
from settings import settings
from tables.errors import TurnstileError
from telemetry.escapes import escaped

COLOURS = {State.OK: "green", State.WARN: "yellow", State.DOWN: "red"}
SHOWN = 20
FAULTS = (
    KafkaError,
    aiokafka.errors.KafkaError,
    psycopg.Error,
    TransportError,
    ApiError,
    ConnectError,
    ConnectUnavailable,
    TurnstileError,
)
CLIENTS = ("kafka", "aiokafka")
# A part is one line for grep, too, however long.
PIPED = 200

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def turnstile() -> None:
    """Look at a running Turnstile and put it right. The settings (TURNSTILE_…) say which one.

    First `status`; it names what to do next. Nothing here changes data but `dlq replay`, `dlq discard`, `reindex`,
    `holds end` and the verbs of `connectors` and `ledger`.
    """


@turnstile.command()
@json_option
def status(*, as_json: bool) -> None:
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
    sys.exit(whole is State.DOWN)


@turnstile.command()
@click.option("--within", default=30.0, show_default=True, help="Seconds for what is on its way to the index.")
@json_option
def verify(*, within: float, as_json: bool) -> None:
    """Hold promises 1, 2 and 5 against live data: after an incident, a restore, an upgrade. Read-only.

    1: the ledger's counters are what all purchases add up to, and no more is out than there is. 2: nobody was refused
    as sold out while there were tickets. 5: the search index is equal to PostgreSQL; the replication slots are read.
    It reads the whole changelog: about 15 s of a core for a million purchases. Exit code 1 if a promise is broken.
    """
    audit = audit_ledger(settings())
    slots = look_at_slots(settings())
    index = compare_index(settings(), within)
    findings = [f"promise {it.promise}: event {it.event}: {it.text}" for it in audit.broken]
    findings += [f"promise 5: event {event} {it.text}; {it.repair}" for event, it in index.items()]
    findings += [f"promise 5: {problem}" for problem in slots]
    notes = [f"event {it.event}: {it.text}" for it in audit.notes]
    if as_json:
        told = {"events": audit.events, "purchases": audit.purchases, "findings": findings, "notes": notes}
        click.echo(json.dumps(told))
    else:
        _print_verdict(findings, notes, f"{audit.events} events and {audit.purchases} purchases were looked at")
    sys.exit(bool(findings))


def _print_verdict(findings: list[str], notes: list[str], what: str) -> None:
    for line in findings[:SHOWN]:
        console.print(f"[red]broken[/] {safe(line)}")
    for line in notes[:SHOWN]:
        console.print(f"[yellow]note[/] {safe(line)}")
    console.print(f"{what}: " + (f"[red]{len(findings)} findings[/]" if findings else "[green]every promise holds[/]"))


@turnstile.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the scratch tables in this folder.")
@json_option
def replay(*, keep: Path | None, as_json: bool) -> None:
    """Make the ledger anew from the command log, in a scratch table, and compare: is what was decided still decided so?

    Before an upgrade that touches the rules, or when a decision is doubted. Read-only; about 50 s of a core for a
    million purchases. Exit code 1 if a record differs, 2 if the log no longer reaches back to its beginning.
    """
    with tempfile.TemporaryDirectory(prefix="turnstile-replay-") as folder:
        done = []
        for one in replay_log(settings(), keep or Path(folder)):
            done.append(one)
            if as_json:
                continue
            verdict = f"[red]{len(one.different)} differ[/]" if one.different else "[green]equal[/]"
            console.print(f"partition {one.partition}: {one.commands} commands, {one.same} records, {verdict}")
            for text in one.different[:SHOWN]:
                console.print(f"  {safe(text)}")
    if as_json:
        names = ("partition", "commands", "same", "different")
        click.echo(json.dumps([{name: getattr(one, name) for name in names} for one in done]))
    sys.exit(any(one.different for one in done))


@turnstile.command()
@json_option
def topics(*, as_json: bool) -> None:
    """Every topic: records, bytes, replicas, and who still has what to read. For a full disk or a lag that grows."""
    states = read_topics(settings().kafka_servers)
    if as_json:
        names = ("name", "partitions", "replicas", "out_of_sync", "records", "bytes", "kept", "lags")
        click.echo(json.dumps([{name: getattr(state, name) for name in names} for state in states]))
        return
    table = Table("topic", "partitions", "records", "on disk", "kept", "to read", box=None)
    for state in states:
        replicas = f"{state.partitions} × {state.replicas}" + (" [red]out of sync[/]" if state.out_of_sync else "")
        lags = ", ".join(f"{role} {lag}" for role, lag in state.lags.items())
        table.add_row(state.name, replicas, f"{state.records:,}", size(state.bytes), state.kept, lags)
    console.print(table)


@turnstile.command()
@json_option
def actions(*, as_json: bool) -> None:
    """What operators skipped, sent again or ended, by whom and why, the oldest first."""
    for one in read_actions(settings().kafka_servers):
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(one)))
        else:
            details = ", ".join(f"{name} {value}" for name, value in one.details.items())
            console.print(safe(f"{one.at:%Y-%m-%d %H:%M:%S} {one.by} {one.action}: {details}: {one.reason}"))


@turnstile.command()
def reindex() -> None:
    """Build the search index anew from PostgreSQL while changes go on: when `verify` found it wrong.

    An event whose row can't be indexed is left out and named. Exit code 1 if there is one.
    """
    done = asyncio.run(reindexing.reindex(settings(), lambda line: console.print(safe(line))))
    sys.exit(bool(done.left_out))


turnstile.add_command(dlq)
turnstile.add_command(connectors)
turnstile.add_command(ledger)
turnstile.add_command(holds)


def main() -> None:
    """Run the command line. Exit code 2 with one line where a server does not answer or refuses."""
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        turnstile(prog_name="turnstile")
    except FAULTS as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(f"turnstile: {escaped(lines[0])}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
