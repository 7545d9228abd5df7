"""What every request passes: the middleware, called as aiohttp does."""

import asyncio
import base64
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from streams.runtime.web_guard import Handler, Middleware, make_guard
from streams.runtime.web_problems import MEDIA_TYPE


async def fine(request: web.Request) -> web.StreamResponse:
    return web.Response(text="fine")


async def broken(request: web.Request) -> web.StreamResponse:
    raise RuntimeError("postgresql://secret")


async def other_method(request: web.Request) -> web.StreamResponse:
    raise web.HTTPMethodNotAllowed("POST", ["GET", "HEAD"])


async def guarded(handler: Handler, guard: Middleware | None = None, path: str = "/api/events/", **headers: str) -> Any:
    return await (guard or make_guard())(make_mocked_request("GET", path, headers=headers), handler)


def test_requests_beyond_the_limit_are_told_to_come_again_but_for_those_of_the_supervisor() -> None:
    async def run() -> list[int]:
        go = asyncio.Event()

        async def slow(request: web.Request) -> web.StreamResponse:
            await go.wait()
            return await fine(request)

        guard = make_guard(requests_max=1)
        first = asyncio.create_task(guarded(slow, guard))
        await asyncio.sleep(0)
        busy = await guarded(fine, guard)
        health = await guarded(fine, guard, "/health/live")
        go.set()
        return [busy.status, health.status, (await first).status, (await guarded(fine, guard)).status]

    assert asyncio.run(run()) == [503, 200, 200, 200]


@pytest.mark.parametrize(
    ("guard", "path"),
    [
        (make_guard(), "/api/events/"),
        (make_guard(tokens=["t"]), "/api/events/"),
        (make_guard(requests_max=0), "/api/events/"),
        (make_guard(), "/metrics"),
        (make_guard(), "/health/ready"),
    ],
)
def test_no_answer_is_stored_or_sniffed(guard: Middleware, path: str) -> None:
    headers = asyncio.run(guarded(fine, guard, path)).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_an_error_is_a_problem_that_tells_nothing_of_it(caplog: Any) -> None:
    answer = asyncio.run(guarded(broken))
    assert (answer.status, answer.content_type) == (500, MEDIA_TYPE)
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_another_method_is_a_problem_that_tells_which_there_are() -> None:
    answer = asyncio.run(guarded(other_method))
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
    assert json.loads(answer.text)["type"] == "/problems/method-not-allowed"


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'me:{password}'.encode()).decode()}"


@pytest.mark.parametrize("header", ["Bearer old", "bearer new", basic("new"), "Bearer  new"])
def test_each_of_the_tokens_opens_the_views(header: str) -> None:
    assert asyncio.run(guarded(fine, make_guard(["new", "old"]), Authorization=header)).status == 200


@pytest.mark.parametrize(
    "header",
    ["", "new", "Bearer", "Bearer ", "Bearer newer", "Bearer \xfc", "Token new", basic("old"), basic(""), "Basic !"],
)
def test_nothing_else_does(header: str) -> None:
    guard = make_guard(["new"])
    answer = asyncio.run(guarded(fine, guard, Authorization=header))
    assert (answer.status, json.loads(answer.text)["type"]) == (401, "/problems/unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert asyncio.run(guarded(fine, guard)).status == 401


def test_the_supervisor_needs_no_token() -> None:
    assert asyncio.run(guarded(fine, make_guard(["new"]), "/health/live")).status == 200
