"""PostgreSQL through a connection pool, with its errors as those of the API."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg.errors import CheckViolation
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import ConnectionPool

from api.adapters.postgres.rows import fetch, tolerate
from api.problems import Refused, Unavailable
from connect.postgres_connections import ApiConnection, with_session_options
from connect.postgres_errors import LOST_SESSION, UNAVAILABLE

SERVER: Final = "postgres"
CONNECTION_TIMEOUT_S: Final = 1.5
ANSWER_MIN_S: Final = 0.1
STREAM_BATCH_ROWS: Final = 500
_LIMITS: Final = "-c timezone=UTC -c statement_timeout=5s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"


class Database:
    """A pool of connections. Nothing is connected before ``open``."""

    def __init__(self, url: str, *, connections_max: int = 16) -> None:
        self._pool: ConnectionPool[ApiConnection] = ConnectionPool(
            with_session_options(url, _LIMITS, connect_timeout=2, application_name="turnstile-api"),
            connection_class=ApiConnection,
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=connections_max,
            timeout=CONNECTION_TIMEOUT_S,
            # Without a limit, the pool's back-off grows to minutes, and finds a restarted server that late.
            reconnect_timeout=5,
            open=False,
            name="api",
        )

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._pool.open()

    def close(self) -> None:
        self._pool.close(timeout=2)

    @contextmanager
    def transaction(self) -> Iterator[Connection[DictRow]]:
        """One transaction, committed at the end. Raises Unavailable if the server does not answer in time.

        Refused: invalid-input, with the name of a violated constraint; also older values of the row may violate it.
        """
        try:
            with self._connection() as connection:
                yield connection
        except CheckViolation as error:
            raise Refused("invalid-input", f"{error.diag.constraint_name} does not hold") from error
        except UNAVAILABLE as error:
            raise Unavailable(SERVER) from error

    @contextmanager
    def _connection(self) -> Iterator[Connection[DictRow]]:
        """A connection that answers. Dead ones are returned, and the pool replaces them.

        The pool's own check pauses a second for each, and after a restart of the server all are dead.
        """
        deadline = time.monotonic() + CONNECTION_TIMEOUT_S
        connection = self._pool.getconn(timeout=CONNECTION_TIMEOUT_S)
        while not _answers(connection, deadline + CONNECTION_TIMEOUT_S - time.monotonic()):
            self._pool.putconn(connection)
            connection = self._pool.getconn(timeout=max(0.0, deadline - time.monotonic()))
        try:
            with connection:
                yield connection
        except LOST_SESSION:
            connection.close()
            raise
        finally:
            self._pool.putconn(connection)

    def one(self, query: str, **values: Any) -> DictRow | None:
        """The first row of a query."""
        return next(iter(self.all(query, **values)), None)

    def all(self, query: str, **values: Any) -> list[DictRow]:
        """All rows of a query."""
        with self.transaction() as connection:
            return fetch(connection, query, values)

    def stream(self, query: str, **values: Any) -> Iterator[Sequence[object]]:
        """The column names of a query, then its rows, fetched from the server in batches."""
        with self.transaction() as connection, connection.cursor("stream", row_factory=tuple_row) as cursor:
            cursor.itersize = STREAM_BATCH_ROWS
            tolerate(cursor)
            cursor.execute(query, values)
            yield [column.name for column in cursor.description or ()]
            yield from cursor

    def probe(self) -> None:
        """Ask the server whether it answers."""
        self.one("SELECT 1")


def _answers(connection: ApiConnection, seconds: float) -> bool:
    connection.answer_timeout_s = max(ANSWER_MIN_S, seconds)
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    del connection.answer_timeout_s
    return True
