"""A connection that has ended is a Kafka error, whatever the event loop says about it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiokafka import conn
from aiokafka.client import create_conn
from aiokafka.errors import KafkaConnectionError

from connect.records import connection
from connect.records.connection import Connection, install, started

Send = Callable[[Any], Any]


class Request:
    """A request of a few bytes in any version."""

    def prepare(self, versions: object) -> "Request":
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> Any:
        return SimpleNamespace(encode=lambda: b"header")

    def encode(self) -> bytes:
        return b"request"


@pytest.mark.parametrize(
    "send",
    [lambda to: to.send(Request()), lambda to: to._send_sasl_token(b"token")],
    ids=["a request", "a token"],
)
def test_uvloop_refuses_to_write_and_the_connection_has_ended(send: Send) -> None:
    reasons: list[object] = []

    async def scenario() -> None:
        connection: Any = Connection("127.0.0.1", 1, on_close=lambda _, reason: reasons.append(reason))
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()
            connection._reader, connection._writer = await asyncio.open_connection(*address)
            connection._read_task = asyncio.create_task(asyncio.sleep(10))
            connection._writer.transport.abort()
            await asyncio.sleep(0.01)
            with pytest.raises(KafkaConnectionError, match="broken"):
                await send(connection)
        assert not connection.connected()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
    assert reasons == [conn.CloseReason.CONNECTION_BROKEN]


def test_the_clients_of_a_process_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conn, "AIOKafkaConnection", conn.AIOKafkaConnection)
    install()
    made: list[object] = []

    async def connect(self: object) -> None:
        made.append(self)

    monkeypatch.setattr(Connection, "connect", connect)
    asyncio.run(create_conn("127.0.0.1", 1))
    assert [type(one) for one in made] == [Connection]


def test_a_client_that_can_not_be_started_is_stopped_too_but_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STOP_TIMEOUT_S", 0.01)

    class Client:
        is_stopped = False

        async def start(self) -> None:
            raise KafkaConnectionError

        async def stop(self) -> None:
            self.is_stopped = True
            await asyncio.sleep(60)

    async def scenario(client: Client) -> None:
        async with asyncio.timeout(2), started(client):
            pytest.fail("it could not be started")

    client = Client()
    with pytest.raises(KafkaConnectionError):
        asyncio.run(scenario(client))
    assert client.is_stopped
