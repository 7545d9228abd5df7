"""``python -m lab.bench baseline``: the baseline's application on the HTTP server of the API."""

import asyncio
import os
import socket

import rich_click as click
import uvloop

from api.__main__ import limits_of, listener_of, tune_garbage_collector
from api.http.server import HttpServer
from lab.bench.baseline.shop import shop_of
from settings import Settings, settings
from telemetry.signals import stop_on_signals


@click.command(name="baseline", hidden=True)
def command() -> None:
    """Serve the baseline's application until told to stop."""
    now = settings()
    tune_garbage_collector()
    with listener_of(now) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(now, listener))


async def _serve(now: Settings, listener: socket.socket) -> None:
    async with shop_of(os.environ["TURNSTILE_DATABASE_URL"]) as shop:
        server = HttpServer(shop, listener, limits_of(now))
        stop_on_signals(server.handle_exit)
        await server.serve()
