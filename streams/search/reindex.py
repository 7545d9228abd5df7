"""Build a new index from PostgreSQL, while changes go on, and swap it in.

The rules: what changed since the start is read from the topic too; after the swap the topic is read up to where it
then ended, since the worker may have put those changes into the old index.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from connect.records.fetching import READ_COMMITTED, SkippedOffsets, install
from connect.topics import EVENT_ROWS
from settings import Settings
from streams.runtime.row_changes import decode_event
from streams.search.index import SearchIndex, Standing, Version, make_elasticsearch
from streams.search.postgres_snapshot import connect, event_rows, safe_position
from tables.errors import MalformedRecord, TurnstileError

AT_ONCE: Final = 500
OPEN_TRANSACTIONS_S: Final = 60.0
POLL_MS: Final = 200
SHOWN: Final = 20
# Any number that nothing else locks.
KEY: Final = 0x7475726E0002

Say = Callable[[str], object]
Ends = dict[TopicPartition, int]


class AlreadyRunning(TurnstileError):
    """Somebody else is building the index anew."""


class Rebuilt(NamedTuple):
    """How many rows were read, and by event id why some were left out of the new index."""

    rows: int
    left_out: dict[str, str]


async def reindex(now: Settings, say: Say) -> Rebuilt:
    """Build, swap, catch up. The old index stays in use if anything fails; a row that can't be told is left out."""
    async with _database(now) as connection, _index(now) as index, _topic(now) as consumer:
        ends = await _ends(consumer)
        position = await safe_position(connection, OPEN_TRANSACTIONS_S)
        target = await index.make_next(position)
        name = target.name
        say(f"building {name} as of position {position}")
        done = await _copy(connection, index, target)
        say(f"{done.rows} rows read from PostgreSQL")
        await _follow(consumer, index, target, ends, await _ends(consumer))
        before = await index.swap(name)
        await _follow(consumer, index, target, ends, await _ends(consumer))
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


async def _follow(consumer: Any, index: SearchIndex, target: Standing, reached: Ends, ends: Ends) -> None:
    """Index what the topic holds between ``reached``, which is moved on, and ``ends``."""
    for place, offset in reached.items():
        consumer.seek(place, offset)
    while any(reached[place] < end for place, end in ends.items()):
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
        await _write(index, target.name, _changes(found, target.floor))
        for place in reached:
            reached[place] = max(reached[place], await consumer.position(place))


def _changes(found: dict[TopicPartition, list[Any]], floor: int) -> dict[str, Version]:
    """Of each row the newest change above the floor. Of what can't be told the worker makes dead letters."""
    changes: dict[str, Version] = {}
    for record in (record for records in found.values() for record in records):
        if isinstance(record, SkippedOffsets) or record.value is None:
            continue
        try:
            row, _ = decode_event(record.value)
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


@asynccontextmanager
async def _topic(now: Settings) -> AsyncIterator[Any]:
    install()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=now.kafka_servers, enable_auto_commit=False, group_id=None, isolation_level=READ_COMMITTED
    )
    try:
        await consumer.start()
        await consumer._client.force_metadata_update()
        consumer.assign([TopicPartition(EVENT_ROWS, number) for number in consumer.partitions_for_topic(EVENT_ROWS)])
        yield consumer
    finally:
        await consumer.stop()


async def _ends(consumer: Any) -> Ends:
    found: Ends = await consumer.end_offsets(list(consumer.assignment()))
    return found
