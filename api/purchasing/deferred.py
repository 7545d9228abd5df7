"""Answers that a route leaves to the server's loop: no thread waits for the ledger, or for as long as a board is open.

A route that has checked its request hands over a coroutine, or pieces that come one by one, and returns. The server
(api/http/threads.py) awaits it and sends what comes of it, with the headers that the route's own answer has got.
"""

from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Final

from flask import Response, request

from api.purchasing.fast_path import replied
from api.purchasing.service import Answer

# Where in the environ the server finds it: Coroutine[Reply], or AsyncIterator[bytes].
DEFERRED: Final = "turnstile.deferred"


def deferred(answer: Coroutine[Any, Any, Answer]) -> Response:
    """The answer is this, or the problem that comes of it instead."""
    request.environ[DEFERRED] = replied(answer, request.path)
    return Response()


def streamed(pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]) -> Response:
    """The answer's body comes piece by piece."""
    request.environ[DEFERRED] = pieces
    return Response(headers=headers, mimetype=media_type)
