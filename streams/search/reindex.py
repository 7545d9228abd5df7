"""Build a new index from PostgreSQL, while changes go on, and swap it in.

The rules: what changed since the start is read from the topic too; after the swap the topic is read up to where it
then ended, since the worker may have put those changes into the old index.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from connect.topics import EVENT_ROWS
from settings import Settings
from streams.runtime.row_changes import decode_event
from streams.runtime.topic_reader import Offsets, TopicReader, reading_topic
from streams.search.index import SearchIndex, Standing, Version, make_elasticsearch
from streams.search.postgres_snapshot import connect, event_rows, safe_position
from tables.errors import MalformedRecord, TurnstileError

AT_ONCE: Final = 500
OPEN_TRANSACTIONS_S: Final = 60.0
SHOWN: Final = 20
# Any number that nothing else locks.
KEY: Final = 0x7475726E0002

Say = Callable[[str], object]


class AlreadyRunning(TurnstileError):
    """Somebody else is building the index anew."""


class Rebuilt(NamedTuple):
    """How many rows were read, and by event id why some were left out of the new index."""

    rows: int
    left_out: dict[str, str]


async def reindex(now: Settings, say: Say) -> Rebuilt:
    """Build, swap, catch up. The old index stays in use if anything fails; a row that can't be told is left out."""
    rows = reading_topic(now.kafka_servers, EVENT_ROWS, AT_ONCE)
    async with _database(now) as connection, _index(now) as index, rows as topic:
        reached = await topic.end_offsets()
        position = await safe_position(connection, OPEN_TRANSACTIONS_S)
        target = await index.make_next(position)
        name = target.name
        say(f"building {name} as of position {position}")
        done = await _copy(connection, index, target)
        say(f"{done.rows} rows read from PostgreSQL")
        await _follow(topic, index, target, reached)
        before = await index.swap(name)
        await _follow(topic, index, target, reached)
        for each in before:
            await index.delete(each)
        say(f"{name} is in use" + (f" instead of {', '.join(before)}" if before else ""))
        for line in told(done.left_out):
            say(line)
        return done


def told(left_out: dict[str, str]) -> list[str]:
    """A line for each event that was left out, a few dozen of them at most, and one for the others."""
    lines = [f"event {key} is left out: {error}" for key, error in list(left_out.items())[:SHOWN]]
    more = len(left_out) - len(lines)
    return [*lines, f"{more} events more are left out; `turnstile verify --json` names all"] if more else lines


async def _copy(connection: Any, index: SearchIndex, target: Standing) -> Rebuilt:
    count = 0
    left_out: dict[str, str] = {}
    batch: dict[str, Version] = {}
    async for row in event_rows(connection, target.floor):
        count += 1
        try:
            batch[row.id] = Version(target.floor, row.decode())
        except MalformedRecord as error:
            left_out[row.id] = str(error)
        if len(batch) == AT_ONCE:
            left_out |= await _write(index, target.name, batch)
            batch = {}
    return Rebuilt(count, left_out | await _write(index, target.name, batch))


async def _follow(topic: TopicReader, index: SearchIndex, target: Standing, reached: Offsets) -> None:
    """Index what the topic holds between ``reached``, which is moved on, and its present end."""
    async for values in topic.read(reached, await topic.end_offsets()):
        await _write(index, target.name, _changes(values, target.floor))


def _changes(values: Iterable[bytes | None], floor: int) -> dict[str, Version]:
    """Of each row the newest change above the floor. Of what can't be told the worker makes dead letters."""
    changes: dict[str, Version] = {}
    for value in values:
        if value is None:
            continue
        try:
            row, _ = decode_event(value)
        except MalformedRecord:
            continue
        if str(row.id) not in changes or row.lsn >= changes[str(row.id)].position:
            changes[str(row.id)] = Version(row.lsn, row)
    return {key: change for key, change in changes.items() if change.position > floor}


async def _write(index: SearchIndex, name: str, changes: dict[str, Version]) -> dict[str, str]:
    """Index the rows; by their ids why some can't be."""
    refused = await index.write(changes, name)
    return {key: str(error) for key, error in refused.items()}


@asynccontextmanager
async def _database(now: Settings) -> AsyncIterator[Any]:
    connection = await connect(now)
    try:
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (KEY,))).fetchone()
        if row != (True,):
            raise AlreadyRunning("the index is being built anew by another process")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _index(now: Settings) -> AsyncIterator[SearchIndex]:
    index = SearchIndex(make_elasticsearch(now))
    try:
        yield index
    finally:
        await index.close()


