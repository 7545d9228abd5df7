"""The server: lets clients in, ends what has taken too long, and stops without losing anybody.

When it is told to stop, it answers what is on its way and what still comes for a moment, telling each connection that
this was its last answer; then it lets in who has knocked, stops listening, and ends the connections that nobody uses.
"""

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from uvicorn import Config
from uvicorn import Server as UvicornServer

from api.http.limits import Limits
from api.http.protocol import Connection
from api.web.raw_response import FastPath
from telemetry.rate_limited import RateLimitedLog

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
BACKLOG: Final = 2_048
# libuv lets in one client a turn of the loop, and a crowd would wait.
ACCEPTED_AT_ONCE: Final = 64
NO_FILES_PAUSE_S: Final = 0.1
LOOK_EVERY_TICKS: Final = 5
# How long a server that stops still lets clients in, and how long then a connection is left to who may use it.
LAST_S: Final = 1.0
UNUSED_S: Final = 1.5
GRACE_S: Final = 7.0
PAUSE_S: Final = 0.02

seldom = RateLimitedLog(logging.getLogger(__name__))
# The client as which an address is counted.
ClientOf = Callable[[str], str]


class Server(UvicornServer):
    """Serves ``application`` (ASGI) on ``listener``, within ``limits``; ``fast_path`` is asked first."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        limits: Limits,
        client_of: ClientOf,
        fast_path: FastPath | None = None,
    ) -> None:
        http: Any = partial(Connection, self)
        config = Config(application, http=http, ws="none", lifespan="off", log_config=None, access_log=False)
        config.server_header = config.proxy_headers = False
        super().__init__(config)
        self.limits = limits
        self.fast_path = fast_path
        self._listener = listener
        self._client_of = client_of
        self._clients: Counter[str] = Counter()
        self._arriving: set[asyncio.Task[Any]] = set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self.should_exit

    def has_room(self, peer: str) -> bool:
        """Whether the connections are not too many with one of this address that has just come."""
        client = self._client_of(peer)
        self._clients[client] += 1
        is_full = len(self.server_state.connections) > self.limits.connections
        return not is_full and self._clients[client] <= self.limits.connections_per_client

    def left(self, peer: str) -> None:
        """A connection of this address has ended."""
        client = self._client_of(peer)
        self._clients[client] -= 1
        if self._clients[client] <= 0:
            del self._clients[client]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to let clients in."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._loop = asyncio.get_running_loop()
        self._open()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        if counter % LOOK_EVERY_TICKS == 0:
            self._look()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See everybody off."""
        ends = self._loop.time() + GRACE_S
        self._say_goodbye()
        await asyncio.sleep(LAST_S)
        self._loop.remove_reader(self._listener)
        while self._accept():
            pass
        self._listener.close()
        while self.server_state.connections and self._loop.time() < ends:
            self._look()
            self._close_unused()
            await asyncio.sleep(PAUSE_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While inside, SIGINT and SIGTERM stop the server, and not the process; only the main thread gets any."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield

    def _open(self) -> None:
        if not self.should_exit:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> bool:
        """Let in who knocks, some at once; whether there may be more."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return False
            except OSError as error:
                self._wait_for_files(error)
                return False
            task = asyncio.create_task(self._welcome(client))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)
        return True

    async def _welcome(self, client: socket.socket) -> None:
        client.setblocking(False)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._connection, client)
        except OSError:
            client.close()

    def _connection(self) -> Connection:
        connection: Connection = self.config.http_protocol_class(  # type: ignore[call-arg,assignment]
            config=self.config, server_state=self.server_state, app_state={}, _loop=self._loop
        )
        return connection

    def _wait_for_files(self, error: OSError) -> None:
        """Who knocks stays there, and would be noticed again at once."""
        seldom.warning("accept", "no client can be let in: %s", errno.errorcode.get(error.errno or 0, error))
        self._loop.remove_reader(self._listener)
        self._loop.call_later(NO_FILES_PAUSE_S, self._open)

    def _look(self) -> None:
        now = self._loop.time()
        for connection in list(self.server_state.connections):
            connection.look(now)  # type: ignore[union-attr]

    def _say_goodbye(self) -> None:
        for connection in self.server_state.connections:
            connection.answer_last()  # type: ignore[union-attr]

    def _close_unused(self) -> None:
        before = self._loop.time() - UNUSED_S
        for connection in list(self.server_state.connections):
            connection.close_unused(before)  # type: ignore[union-attr]
