"""What the HTTP server serves: the fast path and liveness in the loop, everything else by Flask in threads."""

import time
from collections.abc import Awaitable
from typing import Final

from api.http.protocol import GONE
from api.http.threads import Threads
from api.purchasing.fast_path import FastPath
from api.routes.health import Liveness
from api.telemetry.counters import QUICK, ROUTE, Answers
from api.web.raw_response import JSON, Fields, Receive, Reply, Scope, Send
from api.web.responses import BASE

# Answered even when every thread waits for something.
_LIVE: Final = frozenset({"/health/live", f"{BASE}/health/live"})
_IS_LIVE: Final = Reply(200, JSON, {}, Liveness().model_dump_json().encode())
FAILED: Final = 500


class Dispatch:
    """The ASGI application, whose requests are whole when they come, and its fast path (both: api/http/protocol.py)."""

    def __init__(self, fast: FastPath, threads: Threads, answers: Answers) -> None:
        self._fast = fast
        self._threads = threads
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        began, status = time.perf_counter(), None
        self._answers.in_flight += 1
        try:
            body = (await receive()).get("body", b"")
            status = await self._answer(scope, body, send)
        except Exception:
            status = FAILED
            raise
        finally:
            self._answers.in_flight -= 1
            told = None if scope.get(GONE) else status
            self._answers.answered(scope["method"], scope.get(ROUTE, QUICK), told, began)

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Awaitable[Reply] | None:
        """The answer to a plain purchase, counted as one under way; None for everything else."""
        answer = self._fast.take(method, target, fields, body)
        if answer is not None:
            self._answers.in_flight += 1
        return answer

    def answered(self, status: int | None, began: float) -> None:
        """Count an answer of the fast path."""
        self._answers.in_flight -= 1
        self._answers.answered("POST", QUICK, status, began)

    async def _answer(self, scope: Scope, body: bytes, send: Send) -> int:
        sale = self._sale(scope, body)
        if sale is not None:
            reply = await sale
        elif scope["path"] in _LIVE and scope["method"] == "GET":
            scope[ROUTE] = scope["path"]
            reply = _IS_LIVE
        else:
            return await self._threads.answer(scope, body, send)
        await reply.send(send)
        return reply.status

    def _sale(self, scope: Scope, body: bytes) -> Awaitable[Reply] | None:
        fields = dict(scope["headers"])
        if scope["query_string"] or len(fields) != len(scope["headers"]):
            return None
        return self._fast.take(scope["method"].encode(), scope["path"].encode(), fields, body)
