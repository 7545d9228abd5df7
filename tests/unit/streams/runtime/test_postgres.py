"""A worker outlives a PostgreSQL that can't write, and looks for another server then."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.errors import (
    DataCorrupted,
    IdleInTransactionSessionTimeout,
    InFailedSqlTransaction,
    InternalError_,
    LockNotAvailable,
    ReadOnlySqlTransaction,
)

from connect.postgres_connections import WorkerConnection
from streams.runtime import failures
from streams.runtime.counters import Counters
from streams.runtime.projection import Projection


class Server:
    """Connections, each of which raises its error once."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.opened: list[Any] = []
        self.written: list[str] = []

    async def connect(self, url: str, **options: Any) -> Any:
        assert "statement_timeout=30s" in url, "a statement would go on after its worker has given it up"
        self.opened.append(Connection(self))
        return self.opened[-1]


class Connection:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.closed = False

    async def execute(self, statement: str, values: list[str]) -> None:
        if error := self._server.errors.pop(0):
            raise error
        self._server.written += values

    async def close(self) -> None:
        self.closed = True


def write(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Write a row by a projection; the dead letters."""
    monkeypatch.setattr(WorkerConnection, "connect", server.connect)
    monkeypatch.setattr(failures, "BACKOFF_FIRST_S", 0.01)
    app: Any = SimpleNamespace(
        should_stop=False,
        flow_control=SimpleNamespace(is_active=lambda: True),
        counters=Counters(),
        settings=SimpleNamespace(database_url=SimpleNamespace(get_secret_value=str)),
    )
    message: Any = SimpleNamespace()
    return asyncio.run(Projection(app, "INSERT", key=("id",), doing="testing").write([(message, {"id": 1})]))


@pytest.mark.parametrize("error", [ReadOnlySqlTransaction("a replica"), IdleInTransactionSessionTimeout("slow")])
def test_a_server_that_can_not_write_is_waited_for_and_connected_to_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(error, error, None)
    assert write(server, monkeypatch) == []
    assert server.written == ['[{"id":1}]']
    assert [each.closed for each in server.opened] == [True, True, False]


def test_a_connection_is_kept_where_a_row_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(LockNotAvailable("locked"), None)
    assert write(server, monkeypatch) == []
    assert [each.closed for each in server.opened] == [False]


@pytest.mark.parametrize(
    "error", [DataCorrupted("page 7"), InternalError_("cache lookup failed"), InFailedSqlTransaction()]
)
def test_what_is_wrong_in_the_server_or_with_us_is_not_waited_for(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(error, None)
    with pytest.raises(type(error)):
        write(server, monkeypatch)
    assert server.written == []
