"""The rows of ``event`` read from PostgreSQL itself, as their changes would tell them."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from settings import Settings
from streams.runtime.row_changes import EventRow, decode_row
from tables.errors import TurnstileError

PAUSE_S: Final = 0.1
ROWS_AT_ONCE: Final = 500
_NOT_READ: Final = ("lsn", "deleted", "traceparent")
COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(EventRow) if field.name not in _NOT_READ)
# As Debezium writes it: a text of JSON. Moments come in ISO 8601, those that are none as "infinity" or with "BC".
_WRITTEN: Final = dict.fromkeys(("offers", "stock"), "{0}::text")
_SELECTED: Final = ", ".join(f"'{name}', {_WRITTEN.get(name, '{0}').format(name)}" for name in COLUMNS)
_QUERY: Final = f"SELECT id::text, jsonb_build_object({_SELECTED}, '__lsn', %s::bigint)::text FROM event ORDER BY id"  # noqa: S608


class SourceRow(NamedTuple):
    """A row of ``event`` by its id, and the JSON that a record of it would hold."""

    id: str
    text: str

    def decode(self) -> EventRow:
        """The row. Raises MalformedRecord naming the column that can't be told."""
        return decode_row(self.text.encode(), EventRow)


class StillWriting(TurnstileError):
    """Transactions that were open at the start are open still."""


async def connect(settings: Settings) -> AsyncConnection[Any]:
    """A connection to the write model, which tells moments in UTC."""
    connection = await AsyncConnection.connect(settings.database_url.get_secret_value(), autocommit=True)
    await connection.execute("SET timezone = 'UTC'")
    return connection


async def safe_position(connection: AsyncConnection[Any], within: float) -> int:
    """The last place in the log that lies before every change that a snapshot taken from now on doesn't show.

    A transaction that was open when the place was read may have written before it and commit later; so those are
    waited for. Raises StillWriting when they take longer than ``within`` seconds.
    """
    deadline = time.monotonic() + within
    position = await _one(connection, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint - 1")
    # A number of our own: a snapshot's xmax is only one more than the last that has ended.
    started = await _one(connection, "SELECT pg_current_xact_id()::text::bigint")
    while await _one(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint") < started:
        if time.monotonic() > deadline:
            raise StillWriting(f"a transaction has been open for more than {within:g} s (see pg_stat_activity)")
        await asyncio.sleep(PAUSE_S)
    return position


async def event_rows(connection: AsyncConnection[Any], position: int = 0) -> AsyncIterator[SourceRow]:
    """Every row, in the order of the ids, all as of one moment, with ``position`` as their place in the log."""
    async with connection.transaction(), connection.cursor("event_rows", row_factory=tuple_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        await cursor.execute(_QUERY, (position,))
        async for row in cursor:
            yield SourceRow(*row)


async def _one(connection: AsyncConnection[Any], query: str) -> int:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(row[0])
