"""A PostgreSQL that is stopped keeps nobody: whoever waits for it is told, and connects anew."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from api.adapters.postgres import database
from api.adapters.postgres.database import Database
from api.problems import Unavailable
from connect.postgres_connections import ApiConnection, WorkerConnection, with_session_options

READY = b"Z\0\0\0\5I"
SIGNED_IN = b"R\0\0\0\x08\0\0\0\0" + READY
NOTHING_TO_DO = b"I\0\0\0\4" + READY


@contextmanager
def stopping(answers: int) -> Iterator[str]:
    """The address of a server that signs everybody in, answers so many empty queries of each, and then is silent."""

    def serve(client: socket.socket) -> None:
        with suppress(OSError):
            client.recv(4096)
            client.sendall(SIGNED_IN)
            for _ in range(answers):
                client.recv(4096)
                client.sendall(NOTHING_TO_DO)

    def accept() -> None:
        with suppress(OSError):
            while True:
                clients.append(listener.accept()[0])
                threading.Thread(target=serve, args=(clients[-1],), daemon=True).start()

    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        try:
            yield f"host=127.0.0.1 port={port} user=x dbname=x sslmode=disable gssencmode=disable"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for client in clients:
                client.close()  # which ends what waits for it, where nothing else does


@pytest.mark.parametrize("answers", [0, 1])
def test_a_request_is_told_that_the_server_does_not_answer(answers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiConnection, "answer_timeout_s", 0.3)
    monkeypatch.setattr(database, "CONNECTION_TIMEOUT_S", 0.3)
    told: list[Exception] = []

    def ask() -> None:
        try:
            asked.probe()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            told.append(error)

    with stopping(answers) as url:
        asked = Database(url)
        asked.open()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(3)
        waits = thread.is_alive()
    thread.join()
    asked.close()
    assert [type(error) for error in told] == [Unavailable]
    assert not waits


def test_once_a_connection_has_answered_a_statement_has_its_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECTION_TIMEOUT_S", 0.3)
    with stopping(answers=1) as url:
        asked = Database(url)
        asked.open()
        with pytest.raises(Unavailable), asked.transaction() as connection:
            assert isinstance(connection, ApiConnection)
            assert connection.answer_timeout_s == ApiConnection.answer_timeout_s
            raise psycopg.OperationalError
        asked.close()


def test_a_worker_is_told_and_the_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkerConnection, "answer_timeout_s", 0.3)

    async def scenario(url: str) -> None:
        connection = await WorkerConnection.connect(url, autocommit=True)
        start = time.monotonic()
        async with asyncio.timeout(3):
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                await connection.execute("INSERT")
        assert time.monotonic() - start < 2
        assert connection.closed

    with stopping(answers=0) as url:
        asyncio.run(scenario(url))


def test_options_of_an_address_stay() -> None:
    address = with_session_options("postgresql://h/d?options=-csearch_path%3Dshop", "-c lock_timeout=2s", user="ada")
    assert psycopg.conninfo.conninfo_to_dict(address) == {
        "host": "h",
        "dbname": "d",
        "user": "ada",
        "options": "-csearch_path=shop -c lock_timeout=2s",
    }
