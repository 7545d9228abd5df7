"""The HTTP server: uvicorn with limits on connections, timeouts, and a graceful shutdown that drops no request.

At shutdown it answers the requests under way and those of the next moment, each with ``Connection: close``. Then it
accepts the clients in the backlog, stops listening, and closes the connections that are not used.
"""

import asyncio
import logging
import socket
from contextlib import nullcontext
from typing import Any, Final

import uvicorn

from api.http.connection import HttpConnection
from api.http.limits import ConnectionLimits, Connections
from api.web.raw_response import FastApplication
from telemetry.rate_limited import RateLimitedLog

BACKLOG_MAX_CLIENTS: Final = 2_048
# libuv accepts one client in each iteration of the loop, which is slow for a crowd.
ACCEPT_MAX_CLIENTS: Final = 64
CHECK_TICKS: Final = 5
SHUTDOWN_POLL_S: Final = 0.02

limited_log = RateLimitedLog(logging.getLogger(__name__))


class HttpServer(uvicorn.Server):
    """Serves ``application`` on ``listener``."""

    server_state: Connections
    # SIGTERM and SIGINT are the process's own (telemetry/signals.py).
    capture_signals = nullcontext  # type: ignore[assignment]

    def __init__(self, application: FastApplication, listener: socket.socket, limits: ConnectionLimits) -> None:
        config = uvicorn.Config(application, ws="none", lifespan="off", log_config=None, access_log=False)
        config.server_header = config.proxy_headers = False
        super().__init__(config)
        self.server_state = Connections(limits)
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG_MAX_CLIENTS)
        self._loop = asyncio.get_running_loop()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        if counter % CHECK_TICKS == 0:
            now = self._loop.time()
            for connection in list(self.server_state.connections):
                connection.enforce_timeouts(now)
            if not self.server_state.is_stopping:
                self._loop.add_reader(self._listener, self._accept)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain the connections, for ``grace_s`` at most."""
        state, limits = self.server_state, self.server_state.limits
        ends = self._loop.time() + limits.grace_s
        state.is_stopping = True
        for connection in state.connections:
            connection.answer_last()
        await asyncio.sleep(limits.accept_last_s)
        self._loop.remove_reader(self._listener)
        while self._accept():
            pass
        self._listener.close()
        state.limits = limits._replace(idle_s=limits.unused_last_s)
        while (state.tasks or state.connections) and self._loop.time() < ends:
            await self.on_tick(0)
            await asyncio.sleep(SHUTDOWN_POLL_S)
        for connection in list(state.connections):
            connection.transport.abort()

    def _accept(self) -> bool:
        """Accept some clients; whether there may be more."""
        for _ in range(ACCEPT_MAX_CLIENTS):
            try:
                client, _ = self._listener.accept()
            except OSError as error:
                if not isinstance(error, BlockingIOError):
                    # The clients stay in the backlog until the next check; the loop would call back at once.
                    limited_log.warning("accept", "no client can be accepted: %s", error)
                    self._loop.remove_reader(self._listener)
                return False
            client.setblocking(False)
            connecting = self._loop.connect_accepted_socket(
                lambda: HttpConnection(self.config, self.server_state, {}), client
            )
            task: Any = self._loop.create_task(connecting)
            self.server_state.tasks.add(task)
            task.add_done_callback(self.server_state.tasks.discard)
        return True
