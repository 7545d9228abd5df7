"""Build a new index from PostgreSQL while events change, and swap it in.

Changes since the start are also read from the topic. After the swap the topic is read to its new end, since the worker
may have written those changes to the old index.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from psycopg import AsyncConnection

from connect.client_options import client_options
from connect.topics import EVENT_ROWS
from settings import Settings
from streams.runtime.topic_reader import Offsets, TopicReader, reading_topic
from streams.search.index import BuiltIndex, SearchIndex, make_elasticsearch
from streams.search.postgres_snapshot import connect, event_rows, safe_position
from tables.errors import MalformedRecord, TurnstileError
from tables.messages.row_changes import EventRow, decode_event

BATCH_MAX_ROWS: Final = 500
TRANSACTIONS_TIMEOUT_S: Final = 60.0
LISTED_MAX: Final = 20
# An arbitrary number that nothing else locks.
LOCK_KEY: Final = 0x7475726E0002

Say = Callable[[str], object]


class AlreadyRunning(TurnstileError):
    """Another process is rebuilding the index."""


class Rebuilt(NamedTuple):
    """The number of rows, and the events that could not be indexed: id → reason."""

    rows: int
    left_out: dict[str, str]


async def reindex(now: Settings, say: Say) -> Rebuilt:
    """Build, swap, catch up. The old index stays in use if anything fails; rows that can't be indexed are left out."""
    rows = reading_topic(client_options(now), EVENT_ROWS, BATCH_MAX_ROWS)
    async with await connect(now) as connection, make_elasticsearch(now) as client, rows as topic:
        await _lock(connection)
        index = SearchIndex(client)
        reached = await topic.end_offsets()
        position = await safe_position(connection, TRANSACTIONS_TIMEOUT_S)
        target = await index.create_next(position)
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
        for line in summary(done.left_out):
            say(line)
        return done


def summary(left_out: dict[str, str]) -> list[str]:
    """A line for each event that was left out, at most LISTED_MAX, and one for the rest."""
    lines = [f"event {key} can't be indexed: {error}" for key, error in list(left_out.items())[:LISTED_MAX]]
    more = len(left_out) - len(lines)
    return [*lines, f"{more} more events can't be indexed; `turnstile verify --json` lists all"] if more else lines


async def _copy(connection: AsyncConnection[Any], index: SearchIndex, target: BuiltIndex) -> Rebuilt:
    count = 0
    left_out: dict[str, str] = {}
    batch: dict[str, EventRow] = {}
    async for row in event_rows(connection, target.floor):
        count += 1
        try:
            batch[row.id] = row.decode()
        except MalformedRecord as error:
            left_out[row.id] = str(error)
        if len(batch) == BATCH_MAX_ROWS:
            left_out |= await _write(index, target.name, batch)
            batch = {}
    return Rebuilt(count, left_out | await _write(index, target.name, batch))


async def _follow(topic: TopicReader, index: SearchIndex, target: BuiltIndex, reached: Offsets) -> None:
    """Index the changes of the topic from the offsets ``reached``, which it moves on, to the present end."""
    async for values in topic.read(reached, await topic.end_offsets()):
        await _write(index, target.name, _changes(values, target.floor))


def _changes(values: Iterable[bytes | None], floor: int) -> dict[str, EventRow]:
    """The newest change of each row above the floor, without malformed ones, which the worker dead-letters."""
    changes: dict[str, EventRow] = {}
    for value in values:
        if value is None:
            continue
        try:
            row, _ = decode_event(value)
        except MalformedRecord:
            continue
        if str(row.id) not in changes or row.version >= changes[str(row.id)].version:
            changes[str(row.id)] = row
    return {key: change for key, change in changes.items() if change.lsn > floor}


async def _write(index: SearchIndex, name: str, changes: dict[str, EventRow]) -> dict[str, str]:
    """Index the rows. Gives the rejected ones: id → reason."""
    refused = await index.write(changes, name)
    return {key: str(error) for key, error in refused.items()}


async def _lock(connection: AsyncConnection[Any]) -> None:
    """Keep other processes from rebuilding the index while this connection is open. Raises AlreadyRunning."""
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))).fetchone()
    if row != (True,):
        raise AlreadyRunning("another process is rebuilding the index")
