"""Reads rows that SQL may have spoiled: an invalid value fails its own row and nothing else.

An invalid row is left out of lists, and counts as absent by itself; the log names it and its column.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import psycopg
from psycopg import Connection, DataError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import DictRow
from psycopg.types.datetime import DateLoader, TimestamptzLoader
from psycopg.types.json import JsonbLoader
from pydantic import ValidationError

from api.schemas.pagination import PagePosition
from tables.errors import MalformedRecord
from telemetry.rate_limited import RateLimitedLog

Shown = TypeVar("Shown")
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
# Errors of reading a time or JSON, and of making a model; pydantic's error is a ValueError.
_LOAD_ERRORS: Final = (DataError, ValueError, RecursionError)
_MODEL_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, MalformedRecord)

log = logging.getLogger(__name__)
_invalid_rows = RateLimitedLog(log)


def _tolerant(strict: type[Loader]) -> type[Loader]:
    class Tolerant(Loader):
        """The value of the strict loader, or PostgreSQL's text if that fails."""

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Buffer) -> Any:
            """The value, or its text."""
            try:
                return self._strict.load(data)
            except _LOAD_ERRORS:
                return bytes(data).decode()

    return Tolerant


_TOLERANT: Final = {
    "timestamptz": _tolerant(TimestamptzLoader),
    "date": _tolerant(DateLoader),
    "jsonb": _tolerant(JsonbLoader),
}


def insert(table: str, columns: Sequence[str]) -> str:
    """The statement that inserts a row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f'%({name})s' for name in columns)})"


def update(table: str, columns: Sequence[str]) -> str:
    """The statement that changes these columns of the row of an ``id``; ``created_at`` stays."""
    changing = (name for name in columns if name not in ("id", "created_at"))
    return f"UPDATE {table} SET {', '.join(f'{name} = %({name})s' for name in changing)} WHERE id = %(id)s"


def fetch(connection: Connection[DictRow], query: str, values: Any = None) -> list[DictRow]:
    """All rows of a query. A time or JSON that Python can't read comes as PostgreSQL's text."""
    try:
        return connection.execute(query.encode(), values).fetchall()
    except _LOAD_ERRORS as error:
        if isinstance(error, psycopg.Error) and error.sqlstate is not None:  # an error of the server
            raise
    with connection.cursor() as cursor:
        tolerate(cursor)
        return cursor.execute(query.encode(), values).fetchall()


def tolerate(cursor: Any) -> None:
    """Let a cursor return the text of a time or JSON that Python can't read. It reads these more slowly then."""
    for name, loader in _TOLERANT.items():
        cursor.adapters.register_loader(name, loader)


def page_values(limit: int, after: PagePosition | None) -> dict[str, Any]:
    """The parameters of a page, within the times that a cursor can hold."""
    place = {"after": None, "id": None} if after is None else {"after": after.created_at, "id": after.id}
    return {"limit": limit, "first": FIRST, "last": LAST, **place}


def shown(table: str, row: DictRow, make: Callable[[DictRow], Shown]) -> Shown | None:
    """The model that ``make`` makes of a row; None, and a warning, if the row is invalid."""
    try:
        return make(row)
    except _MODEL_ERRORS as error:
        pass_over(table, row.get("id"), _columns(error))
        return None


def pass_over(table: str, key: object, fault: str) -> None:
    """Log an invalid row, at a limited rate."""
    _invalid_rows.warning(f"{table} {key}", "row %s of %s can't be shown: %s", key, table, fault)


def _columns(error: Exception) -> str:
    """The columns and errors, without values."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the row'}: {fault['msg']}" for fault in faults[:5])
