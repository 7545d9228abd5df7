"""``python -m api``: serve until told to stop, in this one process."""

from telemetry.signals import end_at_once

if __name__ == "__main__":
    end_at_once()

import asyncio
import gc
import logging
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import uvloop
from starlette.middleware.cors import CORSMiddleware

from api.app import believe_proxies, create_app
from api.auth.clients import client_of
from api.bootstrap import Servers, open_servers
from api.http.limits import Limits
from api.http.server import Server
from api.http.threads import Threads
from api.http_application import Dispatch
from api.purchasing.fast_path import FastPath
from api.telemetry.access_log import Accesses
from api.telemetry.endpoint import serve_metrics
from api.telemetry.request_metrics import RequestFigures
from api.telemetry.tracing import Traced, traced
from api.web.raw_response import Application, Served
from settings import MissingKey, Settings, exit_with, settings
from telemetry.logs import configure_logging
from telemetry.traces import make_traces

# Nobody is let in before purchases can be sold, so a process that starts beside others refuses nobody. Not longer.
READY_WITHIN_S: Final = 3.0
# For what the loop asks of servers whose clients wait.
THREADS: Final = 16
# After that a thread that computes gives way to the loop, where others wait; Python's own is five times as long.
SWITCH_S: Final = 0.001
# Servers that are down are told of by whoever misses them; a client's mistake is nothing to look into.
LOGGED_FROM: Final = {"aiokafka": logging.CRITICAL, "uvicorn": logging.WARNING}
CORS_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Prefer")
CORS_SHOWN: Final = ("ETag", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate")


async def serve(now: Settings, listener: socket.socket) -> None:
    """Serve until told to stop."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "loop"))
    servers = open_servers(now)
    figures = RequestFigures(servers.gauges)
    stop_metrics = serve_metrics(figures, (now.api_metrics_bind, now.api_metrics_port))
    await servers.wait(READY_WITHIN_S)
    let_garbage_be()
    server = make_server(now, servers, figures, listener)
    try:
        await server.serve()
    finally:
        await servers.close()
        stop_metrics()


def make_server(now: Settings, servers: Servers, figures: RequestFigures, listener: socket.socket) -> Server:
    """The server on these ports."""
    flask = believe_proxies(create_app(servers.ports), now.trusted_proxies)
    threads = Threads(flask.wsgi_app, lambda: server.is_stopping)
    served = observed(Dispatch(FastPath(servers.ports), threads, figures.answers), now)
    if now.allowed_origins:
        server = Server(shared(served, now.allowed_origins), listener, limits_of(now), client_of)
    else:
        server = Server(served, listener, limits_of(now), client_of, served)
    return server


def observed(application: Served, now: Settings) -> Served:
    """The application with what the settings want to be told of it."""
    if now.access_log:
        application = Accesses(application)
    traces = make_traces("turnstile-api", now)
    if traces is not None and now.trace_ratio:
        application = Traced(application, traces, now.trace_ratio)
    return application


def shared(application: Application, origins: list[str]) -> Application:
    """The application for scripts of these sites, too."""
    return CORSMiddleware(application, origins, CORS_METHODS, CORS_HEADERS, expose_headers=CORS_SHOWN)


def limits_of(now: Settings) -> Limits:
    """Behind proxies all clients have the proxies' addresses, so their connections are counted there."""
    per_client = now.api_connections if now.trusted_proxies else now.api_connections_per_client
    return Limits(connections=now.api_connections, connections_per_client=per_client)


def listener_of(now: Settings) -> socket.socket:
    """Where clients knock. Raises OSError where the port is taken."""
    is_v6 = ":" in now.api_bind
    listener = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((now.api_bind.strip("[]"), now.api_port))
    return listener


def let_garbage_be() -> None:
    """Let the garbage collector look at requests only, and seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def main() -> None:
    """Check the settings, then serve."""
    now = settings()
    try:
        now.signing_keys()
        now.link_keys()
    except MissingKey as error:
        exit_with(str(error))
    configure_logging(now.log_level, now.log_format, "api", traced)
    for name, level in LOGGED_FROM.items():
        logging.getLogger(name).setLevel(level)
    sys.setswitchinterval(SWITCH_S)
    with listener_of(now) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(now, listener))


if __name__ == "__main__":
    main()
