"""The rows of ``event`` read from PostgreSQL, in the form of their row changes."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from settings import Settings
from tables.errors import TurnstileError
from tables.messages.row_changes import EventRow, decode_row

PAUSE_S: Final = 0.1
FETCH_ROWS: Final = 500
_NOT_READ: Final = ("lsn", "deleted", "traceparent")
COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(EventRow) if field.name not in _NOT_READ)
# As Debezium writes it: JSON as a string. Times are ISO 8601, or "infinity", or end in "BC".
_EXPRESSIONS: Final = dict.fromkeys(("offers", "stock"), "{0}::text")
_SELECTED: Final = ", ".join(f"'{name}', {_EXPRESSIONS.get(name, '{0}').format(name)}" for name in COLUMNS)
_QUERY: Final = f"SELECT id::text, jsonb_build_object({_SELECTED}, '__lsn', %s::bigint)::text FROM event ORDER BY id"  # noqa: S608


class SourceRow(NamedTuple):
    """A row of ``event``: its id, and the JSON value of its row change."""

    id: str
    text: str

    def decode(self) -> EventRow:
        """The row. Raises MalformedRecord, which names the wrong column."""
        return decode_row(self.text.encode(), EventRow)


class StillWriting(TurnstileError):
    """Transactions that were open at the start are still open."""


async def connect(settings: Settings) -> AsyncConnection[Any]:
    """A connection to the write model, with times in UTC."""
    url = settings.database_url.get_secret_value()
    connection = await AsyncConnection.connect(url, autocommit=True)
    await connection.execute("SET timezone = 'UTC'")
    return connection


async def safe_position(connection: AsyncConnection[Any], timeout_s: float) -> int:
    """A WAL position up to which every later snapshot has all changes.

    A transaction that was open when the position was read may have written before it and commit later, so this waits
    for those. Raises StillWriting where they take longer than ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    position = await _one(connection, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint - 1")
    # Our own transaction id, since a snapshot's xmax is only one above the last that has ended.
    started = await _one(connection, "SELECT pg_current_xact_id()::text::bigint")
    while await _one(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint") < started:
        if time.monotonic() > deadline:
            raise StillWriting(f"a transaction has been open for more than {timeout_s:g} s (see pg_stat_activity)")
        await asyncio.sleep(PAUSE_S)
    return position


async def event_rows(connection: AsyncConnection[Any], position: int = 0) -> AsyncIterator[SourceRow]:
    """All rows in the order of their ids, of one snapshot, with ``position`` as their WAL position."""
    async with connection.transaction(), connection.cursor("event_rows", row_factory=tuple_row) as cursor:
        cursor.itersize = FETCH_ROWS
        await cursor.execute(_QUERY, (position,))
        async for row in cursor:
            yield SourceRow(*row)


async def _one(connection: AsyncConnection[Any], query: str) -> int:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(row[0])
