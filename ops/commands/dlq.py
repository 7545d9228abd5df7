"""``turnstile dlq``: list dead letters, look at one, replay or discard them."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

import rich_click as click

from connect.client_options import client_options
from connect.observe.dead_letter import DeadLetter
from connect.observe.dead_letters import DeadLetterTopics
from connect.topics import CONSUMERS
from ops.terminal import console, json_option
from settings import settings
from telemetry.escapes import escaped

REASON_MAX_CHARS: Final = 100
WRAP_COLUMNS: Final = 80

consumer_argument = click.argument("consumer", required=False, type=click.Choice(CONSUMERS))


@click.group(name="dlq")
@click.pass_context
def command(context: click.Context) -> None:
    """Dead letters: records that a consumer could not use. An ID is CONSUMER:PARTITION:OFFSET, as `list` shows it."""
    context.obj = DeadLetterTopics(client_options(settings()))


@command.command(name="list")
@consumer_argument
@click.option("--all", "everything", is_flag=True, help="Show those that were dealt with, too.")
@json_option
@click.pass_obj
def list_dead_letters(topics: DeadLetterTopics, consumer: str | None, everything: bool, as_json: bool) -> None:
    """Print the dead letters of one consumer or of all, with the reason."""
    chosen = [each for each in _of(topics, consumer, content=False) if everything or each.fate is None]
    if as_json:
        for each in chosen:
            click.echo(json.dumps(_described(each)))
        return
    for each in chosen:
        _print(each)
    if not chosen:
        click.echo("no dead letters")


@command.command()
@click.argument("name", metavar="ID")
@click.pass_obj
def show(topics: DeadLetterTopics, name: str) -> None:
    """Print one dead letter whole: reason, key, headers and value."""
    [each] = _named(topics, (name,))
    click.echo(json.dumps(_described(each) | _content(each), indent=2, ensure_ascii=True))


@command.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "consumer", type=click.Choice((*CONSUMERS, "every")), help="All open ones of a consumer.")
@click.pass_obj
def replay(topics: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> None:
    """Give dead letters back to the topic they came from, as they were; their consumer knows what it had already.

    A dead letter that is not the whole record is left as it is; exit code 1 where there was one.
    """
    chosen = _chosen(topics, names, consumer)
    refused = [f"{each.id} can't be replayed: {each.obstacle}" for each in chosen if each.obstacle]
    try:
        for each, fate in topics.replay(each for each in chosen if not each.obstacle):
            click.echo(f"{each.id} {fate}")
    except ValueError as error:
        refused.append(str(error))
    for line in refused:
        click.echo(escaped(line), err=True)
    if refused:
        sys.exit(1)


@command.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "consumer", type=click.Choice((*CONSUMERS, "every")), help="All open ones of a consumer.")
@click.pass_obj
def discard(topics: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> None:
    """Mark dead letters as dealt with, without replaying them."""
    for each, fate in topics.discard(_chosen(topics, names, consumer)):
        click.echo(f"{each.id} {fate}")


@command.command()
@json_option
@click.pass_obj
def count(topics: DeadLetterTopics, as_json: bool) -> None:
    """Print how many open dead letters each consumer has."""
    counts = topics.open()
    click.echo(json.dumps(counts) if as_json else "\n".join(f"{name} {number}" for name, number in counts.items()))


def _of(topics: DeadLetterTopics, consumer: str | None, *, content: bool = True) -> list[DeadLetter]:
    names = CONSUMERS if consumer in (None, "every") else (str(consumer),)
    return [each for name in names for each in topics.read(name, content=content)]


def _chosen(topics: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> list[DeadLetter]:
    if bool(names) == bool(consumer):
        raise click.UsageError("name dead letters by their IDs, or a consumer with --all")
    return _named(topics, names) if names else [each for each in _of(topics, consumer) if each.fate is None]


def _named(topics: DeadLetterTopics, names: Iterable[str]) -> list[DeadLetter]:
    known: dict[str, DeadLetter] = {}
    found = []
    for name in names:
        consumer = name.partition(":")[0]
        if consumer not in CONSUMERS:
            raise click.BadParameter(f"{name}: an ID is CONSUMER:PARTITION:OFFSET with a consumer of {CONSUMERS}")
        if not any(each.consumer == consumer for each in known.values()):
            known |= {each.id: each for each in topics.read(consumer)}
        if name not in known:
            raise click.BadParameter(f"there is no dead letter {name}")
        found.append(known[name])
    return found


def _print(dead_letter: DeadLetter) -> None:
    """Print id, time and fate; the record's place on one line; what was cut; the reason, wrapped."""
    click.echo(f"{dead_letter.id}  {dead_letter.at:%Y-%m-%d %H:%M:%S}  {dead_letter.fate or ''}".rstrip())
    click.echo(f"  {escaped(dead_letter.record)}")
    if dead_letter.info and dead_letter.info.cuts:
        click.echo(f"  cut: {', '.join(f'{cut.part} of {cut.bytes:,} bytes' for cut in dead_letter.info.cuts)}")
    error = dead_letter.error
    reason = escaped(error if len(error) <= REASON_MAX_CHARS else f"{error[:REASON_MAX_CHARS]}…")
    click.echo(click.wrap_text(reason, min(console.width, WRAP_COLUMNS), "  ", "  "))


def _described(dead_letter: DeadLetter) -> dict[str, Any]:
    origin = dead_letter.info.origin if dead_letter.info else None
    said: dict[str, Any] = {
        "id": dead_letter.id,
        "at": dead_letter.at.isoformat(),
        "topic": origin and origin.topic,
        "partition": origin and origin.partition,
        "offset": origin and origin.offset,
        "error": dead_letter.error,
        "fate": dead_letter.fate,
    }
    if origin and origin.last_offset is not None:
        said["lastOffset"] = origin.last_offset
    if dead_letter.info and dead_letter.info.cuts:
        said["cut"] = [asdict(cut) for cut in dead_letter.info.cuts]
    return said


def _content(dead_letter: DeadLetter) -> dict[str, Any]:
    return {
        "key": _text(dead_letter.key),
        "headers": [[name, _text(value)] for name, value in dead_letter.headers],
        "value": _text(dead_letter.value),
    }


def _text(content: bytes | None) -> str | None:
    """Bytes as text, with escapes for what is not UTF-8."""
    return None if content is None else content.decode(errors="backslashreplace")
