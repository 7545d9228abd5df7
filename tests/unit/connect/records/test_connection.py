"""A connection that has ended is an error of Kafka's, whatever the event loop says about it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiokafka import conn
from aiokafka.client import create_conn
from aiokafka.errors import KafkaConnectionError

from connect.records.connection import Connection, install

Send = Callable[[Any], Any]


class Request:
    """A request of a few bytes in any version."""

    def prepare(self, versions: object) -> "Request":
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> Any:
        return SimpleNamespace(encode=lambda: b"header")

    def encode(self) -> bytes:
        return b"request"


async def reset(send: Send) -> tuple[Any, list[object]]:
    """Send on a connection that has ended a moment before; the connection and the reasons that it told for its end."""
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    reasons: list[object] = []
    connection = Connection("127.0.0.1", 1, on_close=lambda _, reason: reasons.append(reason))
    connection._reader, connection._writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    connection._read_task = asyncio.create_task(asyncio.sleep(10))
    try:
        connection._writer.transport.abort()
        await asyncio.sleep(0.01)
        await send(connection)
    finally:
        listening.close()
    return connection, reasons


@pytest.mark.parametrize(
    "send",
    [lambda to: to.send(Request()), lambda to: to._send_sasl_token(b"token")],
    ids=["a request", "a token"],
)
def test_uvloop_refuses_to_write_and_the_connection_has_ended(send: Send) -> None:
    async def scenario() -> None:
        async def attempt(connection: Any) -> None:
            with pytest.raises(KafkaConnectionError, match="broken"):
                await send(connection)

        connection, reasons = await reset(attempt)
        assert not connection.connected()
        assert reasons == [conn.CloseReason.CONNECTION_BROKEN]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


def test_the_clients_of_a_process_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conn, "AIOKafkaConnection", conn.AIOKafkaConnection)
    install()
    made: list[object] = []

    async def connect(self: object) -> None:
        made.append(self)

    monkeypatch.setattr(Connection, "connect", connect)
    asyncio.run(create_conn("127.0.0.1", 1))
    assert [type(one) for one in made] == [Connection]
