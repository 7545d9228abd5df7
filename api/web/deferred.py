"""Answers that a route leaves to the server's loop, so that no thread waits for the ledger or for an open stream.

A route that has checked its request returns a coroutine or an iterator of pieces here. The server
(api/web/wsgi_threads.py) awaits it and sends the result; a stream gets the headers of the route's own answer.
"""

from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from flask import Response, request

from api.web.raw_response import RawResponse, or_problem

# Its key in the environ: Coroutine[RawResponse], or AsyncIterator[bytes].
DEFERRED: Final = "turnstile.deferred"


def deferred(answer: Coroutine[Any, Any, RawResponse]) -> Response:
    """Answer with the coroutine's result, or with the problem that it raises."""
    request.environ[DEFERRED] = or_problem(answer, request.path)
    return Response()


def streamed(pieces: AsyncIterator[bytes]) -> Response:
    """Answer with server-sent events as they come. No proxy may keep them back."""
    request.environ[DEFERRED] = pieces
    return Response(headers={"X-Accel-Buffering": "no"}, mimetype="text/event-stream")
