"""A TCP proxy between two parts that can cut, stall or slow down the connections through it.

All routes run on one event loop in a thread; the methods may be called from any thread.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 64 * 1024


@dataclass
class Route:
    """A route to the port ``target``. ``port`` is where it listens; ``delay`` (seconds) is added to each chunk."""

    name: str
    target: int
    port: int = 0
    delay: float = 0.0
    is_cut: bool = False
    passes: asyncio.Event = field(default_factory=asyncio.Event)
    streams: set[asyncio.StreamWriter] = field(default_factory=set)


class Proxy:
    """The routes, by name."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()

    def open(self, name: str, target: int) -> int:
        """Listen for connections to ``target``; the port."""
        return asyncio.run_coroutine_threadsafe(self._open(name, target), self._loop).result()

    def cut(self, name: str) -> None:
        """Close every connection of a route, and refuse new ones until ``restore``."""
        self._do(self._cut, self.routes[name])

    def stall(self, name: str) -> None:
        """Keep the connections open and pass nothing until ``restore``."""
        self._do(self.routes[name].passes.clear)

    def slow(self, name: str, seconds: float) -> None:
        """Delay every chunk so many seconds until ``restore``."""
        self._do(setattr, self.routes[name], "delay", seconds)

    def restore(self, name: str) -> None:
        """End every fault of a route."""
        self._do(self._restore, self.routes[name])

    def close(self) -> None:
        """Close all connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Callable[..., object], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(work, *arguments)

    async def _open(self, name: str, target: int) -> int:
        route = self.routes[name] = Route(name, target)
        route.passes.set()
        server = await asyncio.start_server(lambda reader, writer: self._carry(route, reader, writer), HOST, 0)
        self._servers.append(server)
        route.port = server.sockets[0].getsockname()[1]
        return route.port

    async def _carry(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side closes it."""
        if route.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, route.target)
        except OSError:
            writer.transport.abort()
            return
        streams = {writer, far_writer}
        route.streams |= streams
        try:
            ways = (_pass_on(route, reader, far_writer), _pass_on(route, far_reader, writer))
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        finally:
            route.streams -= streams
            for stream in streams:
                stream.close()

    def _cut(self, route: Route) -> None:
        route.is_cut = True
        for stream in route.streams:
            stream.transport.abort()

    def _restore(self, route: Route) -> None:
        route.is_cut, route.delay = False, 0.0
        route.passes.set()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for route in self.routes.values():
            self._cut(route)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _pass_on(route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            await route.passes.wait()
            if route.delay:
                await asyncio.sleep(route.delay)
            writer.write(data)
            await writer.drain()
