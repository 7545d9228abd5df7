"""Answers that a route leaves to the server's loop: no thread waits for the ledger, or for as long as a board is open.

A route that has checked its request hands over a coroutine, or an iterator of pieces, and returns. The server
(api/http/threads.py) awaits it and sends the result, with the headers that the route's own answer has got.
"""

from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping
from typing import Any, Final

from flask import Response, request

from api.problems import Refused, Unavailable
from api.web.error_handlers import unexpected
from api.web.raw_response import Reply, refused, unavailable

# Where in the environ the server finds it: Coroutine[Reply], or AsyncIterator[bytes].
DEFERRED: Final = "turnstile.deferred"


def deferred(answer: Coroutine[Any, Any, Reply]) -> Response:
    """The answer is this, or the problem that comes of it instead."""
    request.environ[DEFERRED] = or_problem(answer, request.path)
    return Response()


def streamed(pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]) -> Response:
    """The answer's body comes piece by piece."""
    request.environ[DEFERRED] = pieces
    return Response(headers=headers, mimetype=media_type)


async def or_problem(answer: Awaitable[Reply], path: str) -> Reply:
    """The answer, or the problem that comes of it instead."""
    try:
        return await answer
    except Refused as error:
        return refused(error)
    except Unavailable as error:
        return unavailable(error)
    except Exception as error:  # noqa: BLE001 (whatever it is, nothing of it gets out)
        return unexpected(error, path)
