"""``python -m api``: serve until told to stop, in this one process."""

from telemetry.signals import end_at_once, stop_on_signals

if __name__ == "__main__":
    end_at_once()

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import uvloop
from starlette.middleware.cors import CORSMiddleware

from api.app import create_app, trust_proxies
from api.auth.passwords import WAITING_MAX
from api.bootstrap import Servers, open_servers
from api.http.limits import ConnectionLimits
from api.http.server import HttpServer
from api.http_application import HttpApplication
from api.purchasing.service import PurchaseFastPath
from api.routes.payment_fast_path import PaymentFastPath
from api.telemetry.access_log import AccessLog
from api.telemetry.endpoint import serve_metrics
from api.telemetry.request_metrics import RequestMetrics
from api.telemetry.tracing import TracedApplication, trace_fields
from api.web.raw_response import Application, FastApplication, Fields, RawResponse, Scope
from api.web.wsgi_threads import WsgiThreads
from connect.records import connection
from settings import MissingKey, Settings, address_named, exit_with, settings
from telemetry.logs import configure_logging
from telemetry.open_files import raise_limit
from telemetry.traces import make_traces

# A new process accepts no clients before it can sell, so that others serve them; but no longer than that.
READY_TIMEOUT_S: Final = 3.0
# For blocking calls that the loop makes.
LOOP_THREADS_MAX: Final = 16
# For all that hash and wait to hash, and for those that are pushed out of a full queue.
PASSWORD_THREADS_MAX: Final = WAITING_MAX + 64
# The GIL's switch interval: a computing thread gives way to the loop. Python's default is five times as long.
SWITCH_INTERVAL_S: Final = 0.001
# Outages are logged by those who notice them; a client's mistake is nothing to look into.
LOG_LEVELS: Final = {"aiokafka": logging.CRITICAL, "uvicorn": logging.WARNING}
CORS_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Prefer")
CORS_SHOWN: Final = ("ETag", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate")


async def serve(now: Settings, listener: socket.socket) -> None:
    """Serve until told to stop."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOP_THREADS_MAX, "loop"))
    servers = open_servers(now)
    metrics = RequestMetrics(servers.gauges)
    with address_named("API_METRICS"):
        stop_metrics = serve_metrics(metrics, (now.api_metrics_bind, now.api_metrics_port))
    await servers.wait(READY_TIMEOUT_S)
    tune_garbage_collector()
    server = make_server(now, servers, metrics, listener)
    stop_on_signals(server.handle_exit)
    try:
        await server.serve()
    finally:
        await servers.close()
        stop_metrics()


def make_server(now: Settings, servers: Servers, metrics: RequestMetrics, listener: socket.socket) -> HttpServer:
    """The server on these ports."""
    flask = trust_proxies(create_app(servers.ports), now.trusted_proxies)
    threads = WsgiThreads(flask.wsgi_app, lambda: server.should_exit)
    password_threads = WsgiThreads(flask.wsgi_app, threads_max=PASSWORD_THREADS_MAX, queue_max=0)
    fast, payments = PurchaseFastPath(servers.ports), PaymentFastPath(servers.ports)
    application = HttpApplication(fast, threads, metrics.counters, password_threads, payments.take)
    served = observed(application, now)
    if now.allowed_origins:
        served = CrossOrigin(served, now.allowed_origins)
    server = HttpServer(served, listener, limits_of(now))
    return server


def observed(application: FastApplication, now: Settings) -> FastApplication:
    """The application with access log and traces, as the settings say."""
    if now.access_log:
        application = AccessLog(application)
    traces = make_traces("turnstile-api", now.zipkin_url)
    if traces is not None and now.trace_ratio:
        application = TracedApplication(application, traces, now.trace_ratio)
    return application


class CrossOrigin(CORSMiddleware):
    """The application, also for scripts of these origins (CORS), whose answers get their headers by ASGI."""

    def __init__(self, application: Application, origins: list[str]) -> None:
        super().__init__(application, origins, CORS_METHODS, CORS_HEADERS, expose_headers=CORS_SHOWN)

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes, scope: Scope
    ) -> Awaitable[RawResponse] | None:
        """None, so that every request comes by ASGI."""
        return None


def limits_of(now: Settings) -> ConnectionLimits:
    """The limits of the settings. Behind proxies, these limit the connections of each client."""
    per_client = now.api_connections if now.trusted_proxies else now.api_connections_per_client
    return ConnectionLimits(connections=now.api_connections, connections_per_client=per_client)


def listener_of(now: Settings) -> socket.socket:
    """The listening socket. Exits if the port is taken."""
    is_v6 = ":" in now.api_bind
    listener = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with address_named("API"):
        listener.bind((now.api_bind, now.api_port))
    return listener


def tune_garbage_collector() -> None:
    """Let the garbage collector visit only what requests make, and seldom."""
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
    configure_logging(now.log_level, now.log_format, "api", trace_fields)
    for name, level in LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    raise_limit()
    connection.install()
    with listener_of(now) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(now, listener))


if __name__ == "__main__":
    main()
