"""``python -m lab.bench.baseline.serve``: the baseline's application on the HTTP server of the API."""

import asyncio

import uvloop

from api.__main__ import let_garbage_be, limits_of, listener_of
from api.auth.clients import client_of
from api.http.server import Server
from api.http.threads import Threads
from api.web.raw_response import Receive, Scope, Send
from lab.bench.baseline.shop import make_app
from settings import settings


class Application:
    """The shop, by ASGI."""

    def __init__(self) -> None:
        self._threads = Threads(make_app().wsgi_app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._threads.answer(scope, (await receive())["body"], send)


def main() -> None:
    """Serve until told to stop."""
    now = settings()
    let_garbage_be()
    with listener_of(now) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Server(Application(), listener, limits_of(now), client_of).serve())


if __name__ == "__main__":
    main()
