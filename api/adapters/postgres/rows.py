"""Rows as they may stand in PostgreSQL: whatever SQL has written there, reading one fails for that row alone.

A row that can't be told is left out of lists and is as good as absent by itself; the log names it and its column.
"""

import logging
from collections.abc import Callable
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

from api.schemas.pagination import Place
from tables.errors import MalformedRecord
from telemetry.rate_limited import RateLimitedLog

Shown = TypeVar("Shown")
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
# What reading a time or JSON may raise, and what making a model may; pydantic's own error is a ValueError.
_UNREAD: Final = (DataError, ValueError, RecursionError)
_UNTOLD: Final = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, MalformedRecord)

log = logging.getLogger(__name__)
_odd = RateLimitedLog(log)


def _tolerant(strict: type[Loader]) -> type[Loader]:
    class Tolerant(Loader):
        """What the strict loader makes of a value; the value's text where that fails."""

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Buffer) -> Any:
            """The value, or its text."""
            try:
                return self._strict.load(data)
            except _UNREAD:
                return bytes(data).decode()

    return Tolerant


_TOLERANT: Final = {
    "timestamptz": _tolerant(TimestamptzLoader),
    "date": _tolerant(DateLoader),
    "jsonb": _tolerant(JsonbLoader),
}


def fetch(connection: Connection[DictRow], query: str, values: Any = None) -> list[DictRow]:
    """All rows of a query. What is no time or no JSON to Python comes as PostgreSQL's text."""
    try:
        return connection.execute(query.encode(), values).fetchall()
    except _UNREAD as error:
        if isinstance(error, psycopg.Error) and error.sqlstate is not None:  # the server's word, not the reader's
            raise
    with connection.cursor() as cursor:
        tolerate(cursor)
        return cursor.execute(query.encode(), values).fetchall()


def tolerate(cursor: Any) -> None:
    """Let a cursor give the text of what is no time or no JSON in Python. It reads these more slowly then."""
    for name, loader in _TOLERANT.items():
        cursor.adapters.register_loader(name, loader)


def page_values(limit: int, after: Place | None) -> dict[str, Any]:
    """The parameters of a page. A list goes by times that a cursor can hold."""
    place = {"after": None, "id": None} if after is None else {"after": after.created_at, "id": after.id}
    return {"limit": limit, "first": FIRST, "last": LAST, **place}


def shown(table: str, row: DictRow, make: Callable[[DictRow], Shown]) -> Shown | None:
    """What ``make`` makes of a row; None, and a warning, where the row has what can't be told."""
    try:
        return make(row)
    except _UNTOLD as error:
        pass_over(table, row.get("id"), _columns(error))
        return None


def pass_over(table: str, key: object, fault: str) -> None:
    """Warn of a row that has what can't be told, now and then."""
    _odd.warning(f"{table} {key}", "row %s of %s can't be shown: %s", key, table, fault)


def _columns(error: Exception) -> str:
    """What is wrong, without the values."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the row'}: {fault['msg']}" for fault in faults[:5])
