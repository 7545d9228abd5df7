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
def list_letters(letters: DeadLetterTopics, consumer: str | None, everything: bool, as_json: bool) -> None:
    """Print the letters of one consumer or of all, with the reason."""
    chosen = [letter for letter in _of(letters, consumer, content=False) if everything or letter.fate is None]
    if as_json:
        for letter in chosen:
            click.echo(json.dumps(_described(letter)))
        return
    for letter in chosen:
        _print(letter)
    if not chosen:
        click.echo("no dead letters")


@command.command()
@click.argument("name", metavar="ID")
@click.pass_obj
def show(letters: DeadLetterTopics, name: str) -> None:
    """Print one letter whole: reason, key, headers and value."""
    [letter] = _named(letters, (name,))
    click.echo(json.dumps(_described(letter) | _content(letter), indent=2, ensure_ascii=True))


@command.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "consumer", type=click.Choice((*CONSUMERS, "every")), help="All open letters of a consumer.")
@click.pass_obj
def replay(letters: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> None:
    """Give letters back to the topic they came from, as they were; their consumer knows what it had already.

    A letter that is not the whole record is left as it is; exit code 1 where there was one.
    """
    chosen = _chosen(letters, names, consumer)
    refused = [f"{letter.id} can't be replayed: {letter.obstacle}" for letter in chosen if letter.obstacle]
    try:
        for letter, fate in letters.replay(letter for letter in chosen if not letter.obstacle):
            click.echo(f"{letter.id} {fate}")
    except ValueError as error:
        refused.append(str(error))
    for line in refused:
        click.echo(escaped(line), err=True)
    if refused:
        sys.exit(1)


@command.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "consumer", type=click.Choice((*CONSUMERS, "every")), help="All open letters of a consumer.")
@click.pass_obj
def discard(letters: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> None:
    """Mark letters as dealt with, without replaying them."""
    for letter, fate in letters.discard(_chosen(letters, names, consumer)):
        click.echo(f"{letter.id} {fate}")


@command.command()
@json_option
@click.pass_obj
def count(letters: DeadLetterTopics, as_json: bool) -> None:
    """Print how many open letters each consumer has."""
    counts = letters.open()
    click.echo(json.dumps(counts) if as_json else "\n".join(f"{name} {number}" for name, number in counts.items()))


def _of(letters: DeadLetterTopics, consumer: str | None, *, content: bool = True) -> list[DeadLetter]:
    names = CONSUMERS if consumer in (None, "every") else (str(consumer),)
    return [letter for name in names for letter in letters.read(name, content=content)]


def _chosen(letters: DeadLetterTopics, names: tuple[str, ...], consumer: str | None) -> list[DeadLetter]:
    if bool(names) == bool(consumer):
        raise click.UsageError("name letters by their IDs, or a consumer with --all")
    return _named(letters, names) if names else [letter for letter in _of(letters, consumer) if letter.fate is None]


def _named(letters: DeadLetterTopics, names: Iterable[str]) -> list[DeadLetter]:
    known: dict[str, DeadLetter] = {}
    found = []
    for name in names:
        consumer = name.partition(":")[0]
        if consumer not in CONSUMERS:
            raise click.BadParameter(f"{name}: an ID is CONSUMER:PARTITION:OFFSET with a consumer of {CONSUMERS}")
        if not any(letter.consumer == consumer for letter in known.values()):
            known |= {letter.id: letter for letter in letters.read(consumer)}
        if name not in known:
            raise click.BadParameter(f"there is no dead letter {name}")
        found.append(known[name])
    return found


def _print(letter: DeadLetter) -> None:
    """Print id, time and fate; the record's place on one line; what was cut; the reason, wrapped."""
    click.echo(f"{letter.id}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.fate or ''}".rstrip())
    click.echo(f"  {escaped(letter.record)}")
    if letter.info and letter.info.cuts:
        click.echo(f"  cut: {', '.join(f'{cut.part} of {cut.bytes:,} bytes' for cut in letter.info.cuts)}")
    reason = escaped(letter.error if len(letter.error) <= REASON_MAX_CHARS else f"{letter.error[:REASON_MAX_CHARS]}…")
    click.echo(click.wrap_text(reason, min(console.width, WRAP_COLUMNS), "  ", "  "))


def _described(letter: DeadLetter) -> dict[str, Any]:
    origin = letter.info.origin if letter.info else None
    said: dict[str, Any] = {
        "id": letter.id,
        "at": letter.at.isoformat(),
        "topic": origin and origin.topic,
        "partition": origin and origin.partition,
        "offset": origin and origin.offset,
        "error": letter.error,
        "fate": letter.fate,
    }
    if origin and origin.last_offset is not None:
        said["lastOffset"] = origin.last_offset
    if letter.info and letter.info.cuts:
        said["cut"] = [asdict(cut) for cut in letter.info.cuts]
    return said


def _content(letter: DeadLetter) -> dict[str, Any]:
    return {
        "key": _text(letter.key),
        "headers": [[name, _text(value)] for name, value in letter.headers],
        "value": _text(letter.value),
    }


def _text(content: bytes | None) -> str | None:
    """Bytes as text, with escapes for what is no UTF-8."""
    return None if content is None else content.decode(errors="backslashreplace")
