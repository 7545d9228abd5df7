"""Calls over kept connections: many at once, each with its own answer, whatever a server does."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from providers.pipelined import CONNECTIONS_MAX, PipelinedClient
from providers.port import ProviderUnavailable

Serve = Callable[["Server", str, asyncio.StreamWriter], Awaitable[None]]


def answer(body: str, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


class Server:
    """Reads requests, and does with each path what it was told."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("Content-Length"))
                self.bodies.append(await reader.readexactly(length))
                path = head.split()[1]
                self.asked.append(path)
                await self.serve(self, path, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], autouse=True)
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers and tools have different loops."""
    monkeypatch.setattr(asyncio.events, "new_event_loop", request.param)


def played(serve: Serve, play: Callable[[PipelinedClient, Server], Awaitable[None]], timeout_s: float = 5.0) -> None:
    @asynccontextmanager
    async def running() -> Any:
        server = Server(serve)
        listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        client = PipelinedClient(f"http://127.0.0.1:{port}/base/", {"Authorization": "Bearer x"}, timeout_s)
        try:
            yield client, server
        finally:
            for connection in client._connections:
                connection.close()
            listening.close()

    async def scenario() -> None:
        async with running() as (client, server):
            await play(client, server)

    asyncio.run(scenario())


async def echo(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(f'"{path}"'))


def test_many_calls_share_few_connections_and_each_gets_its_own_answer() -> None:
    async def play(client: PipelinedClient, server: Server) -> None:
        calls = [client.call("POST", f"/{number}", {"n": number}) for number in range(100)]
        assert await asyncio.gather(*calls) == [(200, f"/base/{number}") for number in range(100)]
        assert server.connections == CONNECTIONS_MAX
        assert b'{"n":99}' in server.bodies

    played(echo, play)


def test_a_call_by_itself_uses_the_connection_that_is_there() -> None:
    async def play(client: PipelinedClient, server: Server) -> None:
        for number in range(3):
            assert await client.call("GET", f"/{number}") == (200, f"/base/{number}")
        assert server.connections == 1

    played(echo, play)


def test_who_gives_up_leaves_no_answer_to_the_next() -> None:
    async def play(client: PipelinedClient, server: Server) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.call("GET", "/late"), 0.05)
        assert await client.call("GET", "/next") == (200, "/base/next")

    async def late(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        if path.endswith("late"):
            await asyncio.sleep(0.1)
        await echo(server, path, writer)

    played(late, play)


def test_what_a_lost_connection_held_is_asked_again() -> None:
    async def drop_once(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) == 1:
            writer.close()
            raise ConnectionError
        await echo(server, path, writer)

    async def play(client: PipelinedClient, server: Server) -> None:
        assert await client.call("POST", "/1", {}) == (200, "/base/1")
        assert server.asked == ["/base/1", "/base/1"]

    played(drop_once, play)


@pytest.mark.parametrize("status", ["409 Conflict", "429 Too Many", "503 Away"])
def test_what_may_pass_is_asked_again(status: str) -> None:
    async def busy_once(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("{}", status) if len(server.asked) == 1 else answer("[]"))

    async def play(client: PipelinedClient, server: Server) -> None:
        assert await client.call("GET", "/") == (200, [])

    played(busy_once, play)


def test_an_answer_that_ends_its_connection_is_taken_and_the_next_call_has_another() -> None:
    async def once_each(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("[]", more="Connection: close\r\n"))

    async def play(client: PipelinedClient, server: Server) -> None:
        assert await client.call("GET", "/1") == (200, [])
        assert await client.call("GET", "/2") == (200, [])
        assert server.connections == 2

    played(once_each, play)


@pytest.mark.parametrize(
    "content",
    [b"rubbish\r\n\r\n", answer("{"), b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b" " * 300_000, b""],
)
def test_rubbish_too_much_and_silence_are_no_answer(content: bytes) -> None:
    async def odd(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    async def play(client: PipelinedClient, server: Server) -> None:
        with pytest.raises(ProviderUnavailable):
            await client.call("GET", "/")

    played(odd, play, timeout_s=0.3)


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(ProviderUnavailable):
        asyncio.run(PipelinedClient("http://127.0.0.1:9", {}, 0.1).call("GET", "/"))


def test_an_answer_that_is_announced_first_is_that_to_its_request() -> None:
    """A proxy may send early hints."""

    async def hint(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(f'"{path}"'))

    async def play(client: PipelinedClient, server: Server) -> None:
        calls = [client.call("POST", f"/{number}") for number in range(20)]
        assert await asyncio.gather(*calls) == [(200, f"/base/{number}") for number in range(20)]

    played(hint, play)


def test_an_answer_that_nobody_asked_for_is_none_to_the_next_request() -> None:
    async def twice(server: Server, path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(f'"{path}"') + answer('"nobody\'s"', "422 Unprocessable Content"))

    async def play(client: PipelinedClient, server: Server) -> None:
        for number in range(3):
            assert await client.call("POST", f"/{number}") == (200, f"/base/{number}")
        assert server.connections == 3

    played(twice, play)
