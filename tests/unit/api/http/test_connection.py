"""What one connection does at each step: the bytes are given to it by hand, and the application answers when told."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from api.http.connection import HttpConnection
from api.http.limits import LINGER_MAX_BYTES
from api.http.server import HttpServer
from api.web.body_sizes import BODY_MAX_BYTES
from api.web.raw_response import Fields, RawResponse, Receive, Scope, Send
from tests.unit.api.http.running import HEAD, HOST, STOPS_SOON

GET = b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n"
FAST = b"GET /fast HTTP/1.1\r\n" + HEAD + b"\r\n"
LARGE_HEAD = b"POST /api/v3/events/1/seating HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % (BODY_MAX_BYTES + 1)
LARGE_BODY = (BODY_MAX_BYTES + 1) * b"x"


class Told:
    """Answers one more request each time that it is told to, without a look at its body."""

    def __init__(self) -> None:
        self._may_answer = asyncio.Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer()).send(send)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        return self._answer() if target == b"/fast" else None

    async def _answer(self) -> RawResponse:
        await self._may_answer.acquire()
        return RawResponse(200, "text/plain", {}, b"done")

    async def answer(self) -> None:
        """Answer one, and let the server do what follows."""
        self._may_answer.release()
        for _ in range(10):
            await asyncio.sleep(0)


Scenario = Callable[[HttpConnection, Told, socket.socket], Awaitable[None]]


def connected(scenario: Scenario) -> None:
    """Run it with a connection, its application and its client."""

    async def run() -> None:
        application = Told()
        with socket.create_server((HOST, 0)) as listener:
            server = HttpServer(application, listener, STOPS_SOON)
            server.config.load()
            await server.startup()
            with socket.create_connection(listener.getsockname()) as client:
                client.setblocking(False)
                server._accept()
                await asyncio.wait(server.server_state.tasks)
                await server.on_tick(0)  # for the header Date
                (connection,) = server.server_state.connections
                await asyncio.wait_for(scenario(connection, application, client), 5)
                connection.transport.abort()
            await server.shutdown()

    asyncio.run(run())


async def read_to_end(client: socket.socket) -> bytes:
    came = b""
    while piece := await asyncio.get_running_loop().sock_recv(client, 65_536):
        came += piece
    return came


def test_more_is_read_once_an_answer_is_sent() -> None:
    async def scenario(connection: HttpConnection, application: Told, _: socket.socket) -> None:
        connection.data_received(GET + GET)
        assert connection.flow.read_paused
        await application.answer()
        assert not connection.flow.read_paused

    connected(scenario)


def test_a_large_body_has_its_place_until_it_is_answered() -> None:
    async def scenario(connection: HttpConnection, application: Told, _: socket.socket) -> None:
        for _number in range(2):
            connection.data_received(LARGE_HEAD + LARGE_BODY)
            assert connection.server_state.large_bodies == {connection}
            await application.answer()
            assert connection.server_state.large_bodies == set()

    connected(scenario)


@pytest.mark.parametrize("come", [0, 1, len(LARGE_BODY)], ids=["its head", "a byte", "all"])
def test_a_large_body_behind_another_request_keeps_its_place_when_that_is_answered(come: int) -> None:
    async def scenario(connection: HttpConnection, application: Told, _: socket.socket) -> None:
        connection.data_received(GET + LARGE_HEAD + LARGE_BODY[:come])
        await application.answer()
        assert connection.server_state.large_bodies == {connection}
        connection.data_received(LARGE_BODY[come:])
        await application.answer()
        assert connection.server_state.large_bodies == set()

    connected(scenario)


def test_a_connection_has_one_large_body_at_a_time() -> None:
    async def scenario(connection: HttpConnection, application: Told, client: socket.socket) -> None:
        connection.data_received(LARGE_HEAD + LARGE_BODY + LARGE_HEAD)
        await application.answer()
        came = await read_to_end(client)
        assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"503"]
        assert b"/problems/uploads-busy" in came

    connected(scenario)


def test_a_refused_client_that_sends_too_much_is_cut_off() -> None:
    async def scenario(connection: HttpConnection, _: Told, __: socket.socket) -> None:
        connection.data_received(b"no HTTP\r\n\r\n")
        connection.data_received(LINGER_MAX_BYTES * b"x")
        assert not connection.transport.is_closing()
        connection.data_received(b"x")
        assert connection.transport.is_closing()

    connected(scenario)


@pytest.mark.parametrize("sent", [b"G", b""], ids=["a byte has come", "nothing has come"])
def test_an_idle_connection_is_closed_unless_a_request_has_come_that_is_not_read_yet(sent: bytes) -> None:
    async def scenario(connection: HttpConnection, _: Told, client: socket.socket) -> None:
        connection.transport.pause_reading()
        client.send(sent)
        connection.enforce_timeouts(connection.since + STOPS_SOON.idle_s + 1)
        assert connection.transport.is_closing() is not bool(sent)

    connected(scenario)


def test_a_fast_answer_is_kept_back_while_those_before_it_are_not_read() -> None:
    async def scenario(connection: HttpConnection, application: Told, client: socket.socket) -> None:
        connection.pause_writing()
        connection.data_received(FAST)
        await application.answer()
        with pytest.raises(BlockingIOError):
            client.recv(1)
        connection.resume_writing()
        assert (await asyncio.get_running_loop().sock_recv(client, 1_000)).endswith(b"done")

    connected(scenario)
