"""Flask in threads: what waits for one is bounded, and a thread that waits for the loop too."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from api.problems import Refused, Unavailable
from api.web import wsgi_threads
from api.web.deferred import DEFERRED
from api.web.raw_response import DISCONNECTED
from api.web.wsgi_threads import LoopCaller, WsgiThreads, look_in_thread
from telemetry.traces import current_span, in_span
from tests.unit.api.soon import soon
from tests.unit.telemetry.kept import KeptTraces

Environ = dict[str, Any]


class Asked:
    """A request, and what is sent for it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.scope: dict[str, Any] = {
            "http_version": "1.1",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
        }

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))

    async def of(self, asked: WsgiThreads) -> int:
        return await asked.answer(self.scope, b"", self.send)


def test_one_request_too_many_for_the_threads_is_refused() -> None:
    go_on = threading.Event()

    def waits(environ: Environ, start_response: Any) -> Iterable[bytes]:
        go_on.wait(5)
        start_response("200 OK", [])
        return [b""]

    async def crowd() -> list[int]:
        served = WsgiThreads(waits, threads_max=2, queue_max=1)
        tasks = [asyncio.create_task(Asked().of(served)) for _ in range(4)]
        await soon(lambda: any(task.done() for task in tasks))
        go_on.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(crowd()) == [200, 200, 200, 503]


def test_a_long_answer_is_left_off_where_its_client_is_gone_and_lets_go_of_what_it_had() -> None:
    closed = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield 100_000 * b"x"
        finally:
            closed.set()

    def long(environ: Environ, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return pieces()

    async def gone() -> int:
        asked = Asked()
        answering = asyncio.create_task(asked.of(WsgiThreads(long)))
        await soon(lambda: len(asked.sent) > 3)
        asked.scope[DISCONNECTED] = True
        return await answering

    assert asyncio.run(gone()) == 200
    assert closed.wait(5)


def test_a_span_under_way_is_known_in_the_thread_and_in_what_it_has_the_loop_do() -> None:
    seen: list[object] = []
    span = KeptTraces().begin("ask", kind=0, tags={})  # type: ignore[arg-type]

    async def look() -> None:
        seen.append(current_span())

    async def run() -> None:
        in_loop = LoopCaller(asyncio.get_running_loop())

        def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
            seen.append(current_span())
            in_loop(look())
            start_response("200 OK", [])
            return [b""]

        with in_span(span):
            await Asked().of(WsgiThreads(application))

    asyncio.run(run())
    assert seen == [span, span]


def from_thread(work: Callable[[LoopCaller], None], calls_max: int = 9) -> None:
    """Do it in a thread, beside a loop."""

    async def run() -> None:
        await asyncio.to_thread(work, LoopCaller(asyncio.get_running_loop(), calls_max))

    asyncio.run(run())


def test_a_thread_gets_what_comes_of_a_coroutine() -> None:
    async def fails() -> None:
        raise Refused("busy")

    def work(in_loop: LoopCaller) -> None:
        assert in_loop(asyncio.sleep(0, "came")) == "came"
        with pytest.raises(Refused):
            in_loop(fails())

    from_thread(work)


def test_threads_that_wait_for_the_loop_are_bounded() -> None:

    def work(in_loop: LoopCaller) -> None:
        begun, go_on = threading.Semaphore(0), threading.Event()

        async def waits() -> None:
            begun.release()
            await asyncio.to_thread(go_on.wait, 5)

        with ThreadPoolExecutor(2) as crowd:
            waiting = [crowd.submit(lambda: in_loop(waits())) for _ in range(2)]
            for _ in waiting:
                assert begun.acquire(timeout=5)
            with pytest.raises(Refused) as refused:
                in_loop(waits())
            assert refused.value.kind == "busy"
            go_on.set()
            for each in waiting:
                each.result()

    from_thread(work, calls_max=2)


def test_a_stream_is_not_begun_for_a_request_of_its_headers_alone() -> None:
    begun: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        begun.append("stream")
        while True:
            yield b"data: 1\n\n"
            await asyncio.sleep(60)

    def streams(environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ[DEFERRED] = pieces()
        start_response("200 OK", [("Content-Type", "text/event-stream"), ("Content-Length", "0")])
        return [b""]

    async def head() -> list[dict[str, Any]]:
        asked = Asked()
        asked.scope["method"] = "HEAD"
        await asyncio.wait_for(asked.of(WsgiThreads(streams)), 5)
        return asked.sent

    start, end = asyncio.run(head())
    assert start["headers"] == [(b"content-type", b"text/event-stream")]
    assert not end.get("more_body")
    assert not begun


@pytest.mark.parametrize("ends", ["client", "server"])
def test_a_stream_that_has_nothing_to_tell_ends_with_its_client_and_with_the_server(ends: str) -> None:
    asked, stopping, closed = Asked(), threading.Event(), threading.Event()

    async def quiet() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.sleep(60)
        finally:
            closed.set()

    def streams(environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ[DEFERRED] = quiet()
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return [b""]

    async def follow() -> bool:
        answering = asyncio.create_task(asked.of(WsgiThreads(streams, stopping.is_set)))
        await soon(lambda: any(message.get("body") for message in asked.sent))
        if ends == "server":
            stopping.set()
        asked.scope[DISCONNECTED] = ends == "client"
        done, _ = await asyncio.wait([answering], timeout=3)
        return bool(done)

    assert asyncio.run(follow())
    assert closed.is_set()
    assert asked.sent[-1] == {"type": "http.response.body", "body": b""}


def test_what_a_piece_fails_by_that_nobody_waits_for_is_not_told_as_a_fault() -> None:
    asked, told = Asked(), []

    async def fails() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise Unavailable("postgres") from None

    def streams(environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ[DEFERRED] = fails()
        start_response("200 OK", [])
        return [b""]

    async def follow() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        answering = asyncio.create_task(asked.of(WsgiThreads(streams)))
        await soon(lambda: any(message.get("body") for message in asked.sent))
        asked.scope[DISCONNECTED] = True
        await asyncio.wait([answering], timeout=3)
        gc.collect()

    asyncio.run(follow())
    assert told == []


def test_a_look_ends_in_time_though_those_before_it_have_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, begun, threads = threading.Event(), threading.Event(), ThreadPoolExecutor(1)
    monkeypatch.setattr(wsgi_threads, "LOOK_TIMEOUT_S", 0.05, raising=False)
    monkeypatch.setattr(wsgi_threads, "_look_threads", threads)

    async def looks() -> list[object]:
        waiting = [look_in_thread(look) for look in (partial(go_on.wait, 3), begun.set)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(end) for end in asyncio.run(looks())] == [Unavailable, Unavailable]
    go_on.set()
    threads.shutdown()
    assert not begun.is_set()
