"""Answers that a route leaves to the server's loop: no thread waits for the ledger, or for as long as a board is open.

A route that has checked its request hands over a coroutine (api/purchasing/deferred.py), or pieces that come one by
one, and returns. The server (api/http/threads.py) awaits it and sends what comes of it, with the headers that the
route's own answer has got.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from flask import Response, request

# Where in the environ the server finds it: Coroutine[Reply], or AsyncIterator[bytes].
DEFERRED: Final = "turnstile.deferred"


def streamed(pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]) -> Response:
    """The answer's body comes piece by piece."""
    request.environ[DEFERRED] = pieces
    return Response(headers=headers, mimetype=media_type)
