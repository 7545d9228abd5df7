"""``python -m lab.bench baseline``: the baseline's application on the HTTP server of the API."""

import asyncio

import rich_click as click
import uvloop

from api.__main__ import limits_of, listener_of, tune_garbage_collector
from api.auth.clients import client_of
from api.http.server import HttpServer
from api.web.raw_response import Receive, Scope, Send
from api.web.wsgi_threads import WsgiThreads
from lab.bench.baseline.shop import make_app
from settings import settings


class Application:
    """The shop, by ASGI."""

    def __init__(self) -> None:
        self._threads = WsgiThreads(make_app().wsgi_app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._threads.answer(scope, (await receive())["body"], send)


@click.command(name="baseline", hidden=True)
def command() -> None:
    """Serve the baseline's application until told to stop."""
    now = settings()
    tune_garbage_collector()
    with listener_of(now) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(HttpServer(Application(), listener, limits_of(now), client_of).serve())
