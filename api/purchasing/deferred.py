"""Purchases that a route leaves to the server's loop; see api/web/deferred.py."""

from collections.abc import Coroutine
from typing import Any

from flask import Response, request

from api.purchasing.fast_path import replied
from api.purchasing.service import Answer
from api.web.deferred import DEFERRED


def deferred(answer: Coroutine[Any, Any, Answer]) -> Response:
    """The answer is this, or the problem that comes of it instead."""
    request.environ[DEFERRED] = replied(answer, request.path)
    return Response()
