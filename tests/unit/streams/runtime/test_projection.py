"""Rows reach PostgreSQL by one statement, but for those of one key, of which each comes after the one before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from psycopg import DataError

from streams.runtime.projection import Projection, _in_turns


def row(key: int, value: object) -> dict[str, object]:
    return {"id": key, "event_id": 1, "value": value}


class Connection:
    """Keeps what is executed, and rejects statements with a bad value."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    async def execute(self, statement: str, values: list[str]) -> None:
        if "bad" in values[0]:
            raise DataError("bad value\nCONTEXT: the row")
        self.done.append([each["value"] for each in msgspec.json.decode(values[0])])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.done.append("begin")
        yield
        self.done.append("commit")

    @asynccontextmanager
    async def open(self) -> "AsyncIterator[Connection]":
        yield self


@pytest.fixture
def connection() -> Connection:
    return Connection()


def write(connection: Connection, *rows: dict[str, object]) -> list[Any]:
    """Write the rows; the offsets of the dead letters."""
    app: Any = SimpleNamespace()
    projection = Projection(app, "INSERT", key=("event_id", "id"), doing="testing")
    projection._connection = connection  # type: ignore[assignment]
    record = {"topic": "t", "partition": 0, "key": b"k", "value": b"v", "headers": []}
    messages: list[Any] = [SimpleNamespace(**record, offset=number) for number in range(len(rows))]
    return asyncio.run(projection.write(list(zip(messages, rows, strict=True))))


def test_rows_of_different_keys_are_one_statement_that_commits_itself(connection: Connection) -> None:
    assert write(connection, row(1, "a"), row(2, "b")) == []
    assert write(connection) == []
    assert connection.done == [["a", "b"]]


def test_rows_of_one_key_are_written_in_order_in_one_transaction(connection: Connection) -> None:
    write(connection, row(1, "a"), row(2, "b"), row(1, "c"))
    assert connection.done == ["begin", ["a", "b"], ["c"], "commit"]


def test_a_rejected_row_is_a_dead_letter_and_the_others_are_written(connection: Connection) -> None:
    [letter] = write(connection, row(1, "a"), row(2, "bad"), row(3, "c"))
    assert connection.done == [["a"], ["c"]]
    headers = dict(letter.headers)
    assert (headers["dlq-offset"], headers["dlq-error"]) == (b"1", b"MalformedRecord: DataError: bad value")


def test_a_row_too_deep_to_be_written_is_a_dead_letter_and_the_others_are_written(connection: Connection) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    [letter] = write(connection, row(1, "a"), row(2, deep), row(3, "c"))
    assert connection.done == [["a"], ["c"]]
    assert dict(letter.headers)["dlq-error"].startswith(b"MalformedRecord: RecursionError")


def test_rows_of_one_key_keep_their_order() -> None:
    rows = [row(1, "a"), row(2, "b"), row(1, "c"), row(1, "d"), row(2, "e")]
    assert list(_in_turns(rows, ("event_id", "id"))) == [
        [row(1, "a"), row(2, "b")],
        [row(1, "c"), row(2, "e")],
        [row(1, "d")],
    ]


def test_a_key_is_all_of_its_columns() -> None:
    rows = [row(1, "a"), row(1, "b") | {"event_id": 2}]
    assert list(_in_turns(rows, ("event_id", "id"))) == [rows]
