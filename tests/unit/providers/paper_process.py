"""Paper's application in a thread, on a port of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from stack.paper import Paper, make_application
from stack.paper_books import PaperBooks

KEY = "paper-key-0123456789-abcdefghijklm"


@contextmanager
def running_paper(
    folder: Path, *, hostile: bool = False, clock: Callable[[], float] = time.time
) -> Iterator[tuple[Paper, str, Callable[[Coroutine[Any, Any, Any]], Any]]]:
    """Paper, its address, and what runs a coroutine in its thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Paper, TestServer]:
        paper = Paper(
            PaperBooks(folder / "payments.sqlite", "http://paper.example"), KEY.encode(), hostile=hostile, clock=clock
        )
        server = TestServer(make_application(paper))
        await server.start_server()
        return paper, server

    async def stop(paper: Paper, server: TestServer) -> None:
        await server.close()
        paper.books.close()

    paper, server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield paper, str(server.make_url("")), lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stop(paper, server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
