"""Rows for PostgreSQL, a batch in one transaction. A row that PostgreSQL will never take is a dead letter."""

from typing import Any

from psycopg import AsyncConnection, DataError, IntegrityError, InterfaceError, OperationalError

from streams.runtime.app import App
from streams.runtime.dead_letters import letter
from streams.runtime.kafka_types import Message
from streams.runtime.produce import Record
from streams.runtime.retry import patiently
from tables.errors import MalformedRecord

CONNECT_TIMEOUT_S = 5
UNFIT = (DataError, IntegrityError)

Rows = list[tuple[Message, dict[str, Any]]]


class Projection:
    """One statement, executed for each row."""

    def __init__(self, app: App, statement: str, *, doing: str) -> None:
        self.app = app
        self._statement = statement
        self._doing = doing
        self._connection: AsyncConnection[Any] | None = None

    async def write(self, rows: Rows) -> list[Record]:
        """Store the rows, however long it takes; dead letters of those that can't be stored."""
        try:
            await self._store(rows)
        except UNFIT:
            return [record for row in rows if (record := await self._alone(row))]
        return []

    async def _alone(self, row: tuple[Message, dict[str, Any]]) -> Record | None:
        try:
            await self._store([row])
        except UNFIT as error:
            # The first line names what is wrong; the others would repeat the row.
            return letter(row[0], MalformedRecord(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"))
        return None

    async def _store(self, rows: Rows) -> None:
        if rows:
            await patiently(
                self.app, lambda: self._execute(rows), doing=self._doing, passing=(OperationalError, InterfaceError)
            )

    async def _execute(self, rows: Rows) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self.app.settings.database_url.get_secret_value(), connect_timeout=CONNECT_TIMEOUT_S
            )
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await cursor.executemany(self._statement, [values for _, values in rows])
