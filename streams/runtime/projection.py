"""Writing rows to PostgreSQL, a batch in one transaction. A row that PostgreSQL rejects becomes a dead letter."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import DataError, IntegrityError

from connect.postgres_errors import UNAVAILABLE
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, with_retries
from streams.runtime.kafka_types import Message, Record
from streams.runtime.postgres import LazyConnection
from tables.errors import MalformedRecord
from tables.messages.encoding import encode_json

# The last is of a value too deep to be written as JSON.
REJECTED: Final = (DataError, IntegrityError, RecursionError)

Rows = list[tuple[Message, dict[str, Any]]]


class Projection:
    """Executes one statement for all rows. It reads them from ``json_populate_recordset(…, %s::json)``.

    ``key`` names the columns that identify a row: of rows with the same key each is written after the one before.
    """

    def __init__(self, app: App, statement: str, *, key: tuple[str, ...], doing: str) -> None:
        self.app = app
        self._statement = statement
        self._key = key
        self._doing = doing
        self._connection = LazyConnection(app)

    async def write(self, rows: Rows) -> list[Record]:
        """Store the rows, however long PostgreSQL is unavailable. Gives dead letters of the rejected ones."""
        try:
            await self._store(rows)
        except REJECTED:
            return [record for row in rows if (record := await self._store_alone(row))]
        return []

    async def _store_alone(self, row: tuple[Message, dict[str, Any]]) -> Record | None:
        try:
            await self._store([row])
        except REJECTED as error:
            # The first line names the reason; the others repeat the row.
            return dead_letter(row[0], MalformedRecord(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"))
        return None

    async def _store(self, rows: Rows) -> None:
        if rows:
            await with_retries(self.app, lambda: self._execute(rows), doing=self._doing, transient=UNAVAILABLE)

    async def _execute(self, rows: Rows) -> None:
        first, *others = (encode_json(some).decode() for some in _in_turns([values for _, values in rows], self._key))
        async with self._connection.open() as connection:
            if not others:  # One statement is a transaction, without two more questions.
                await connection.execute(self._statement, [first])
                return
            async with connection.transaction():
                for some in (first, *others):
                    await connection.execute(self._statement, [some])


def _in_turns(rows: list[dict[str, Any]], key: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    """The rows in lists in which no key occurs twice, which a statement with ON CONFLICT can't take."""
    turns: list[dict[tuple[Any, ...], dict[str, Any]]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        place = tuple(row[name] for name in key)
        turn = seen[place] = seen.get(place, -1) + 1
        if turn == len(turns):
            turns.append({})
        turns[turn][place] = row
    return (list(turn.values()) for turn in turns)
