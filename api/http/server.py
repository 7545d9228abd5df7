"""The HTTP server: uvicorn with limits on connections, timeouts, and a graceful shutdown that drops no request.

At shutdown it answers the requests under way and those of the next moment, each with ``Connection: close``. Then it
accepts the clients in the backlog, stops listening, and closes the connections that are not used.
"""

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from uvicorn import Config
from uvicorn import Server as UvicornServer

from api.http.connection import HttpConnection
from api.http.limits import Admission, ClientOf, ConnectionLimits
from api.web.raw_response import FastPath
from telemetry.rate_limited import RateLimitedLog

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
BACKLOG_MAX_CLIENTS: Final = 2_048
# libuv accepts one client in each iteration of the loop, which is slow for a crowd.
ACCEPT_MAX_CLIENTS: Final = 64
ACCEPT_RETRY_S: Final = 0.1
TIMEOUT_CHECK_TICKS: Final = 5
SHUTDOWN_POLL_S: Final = 0.02

limited_log = RateLimitedLog(logging.getLogger(__name__))


class HttpServer(UvicornServer):
    """Serves ``application`` (ASGI) on ``listener``, within ``limits``; asks ``fast_path`` first."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        limits: ConnectionLimits,
        client_of: ClientOf,
        fast_path: FastPath | None = None,
    ) -> None:
        self.admission = Admission(limits, client_of)
        http: Any = partial(HttpConnection, self.admission, fast_path, lambda: self.should_exit)
        config = Config(application, http=http, ws="none", lifespan="off", log_config=None, access_log=False)
        config.server_header = config.proxy_headers = False
        super().__init__(config)
        self._listener = listener
        self._connecting: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept clients."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG_MAX_CLIENTS)
        self._loop = asyncio.get_running_loop()
        self._start_accepting()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        if counter % TIMEOUT_CHECK_TICKS == 0:
            self._enforce_timeouts()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain the connections, for ``grace_s`` at most."""
        ends = self._loop.time() + self.admission.limits.grace_s
        for connection in self._connections():
            connection.answer_last()
        await asyncio.sleep(self.admission.limits.accept_last_s)
        self._loop.remove_reader(self._listener)
        while self._accept():
            pass
        self._listener.close()
        while (self._connecting or self.server_state.connections) and self._loop.time() < ends:
            self._enforce_timeouts()
            unused_since = self._loop.time() - self.admission.limits.unused_last_s
            for connection in self._connections():
                connection.close_unused(unused_since)
            await asyncio.sleep(SHUTDOWN_POLL_S)
        for connection in self._connections():
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Inside, SIGINT and SIGTERM stop the server and not the process. Only the main thread gets signals."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield

    def _start_accepting(self) -> None:
        if not self.should_exit:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> bool:
        """Accept some clients; whether there may be more."""
        for _ in range(ACCEPT_MAX_CLIENTS):
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return False
            except OSError as error:
                self._pause(error)
                return False
            task = asyncio.create_task(self._connect(client))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return True

    async def _connect(self, client: socket.socket) -> None:
        client.setblocking(False)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._make_connection, client)
        except OSError:
            client.close()

    def _make_connection(self) -> HttpConnection:
        connection: HttpConnection = self.config.http_protocol_class(  # type: ignore[call-arg,assignment]
            config=self.config, server_state=self.server_state, app_state={}, _loop=self._loop
        )
        return connection

    def _pause(self, error: OSError) -> None:
        """Accept again later: the clients stay in the backlog, and the loop would call back at once."""
        limited_log.warning("accept", "no client can be accepted: %s", errno.errorcode.get(error.errno or 0, error))
        self._loop.remove_reader(self._listener)
        self._loop.call_later(ACCEPT_RETRY_S, self._start_accepting)

    def _enforce_timeouts(self) -> None:
        now = self._loop.time()
        for connection in self._connections():
            connection.enforce_timeouts(now)

    def _connections(self) -> list[HttpConnection]:
        return list(self.server_state.connections)  # type: ignore[arg-type]
