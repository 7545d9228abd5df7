"""Many who look at what no server tells."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.unit.api.soon import soon

LOOKERS = 20
THREADS = 4


async def threads_while(looking: Callable[[Callable[..., None]], Coroutine[Any, Any, Any]]) -> bool:
    """Whether the loop has a thread for others while LOOKERS wait for what ``looking`` does with a look that waits."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    answered = threading.Event()
    begun = threading.Semaphore(0)

    def look(*_: object) -> None:
        begun.release()
        answered.wait(30)

    waiting = [asyncio.create_task(looking(look)) for _ in range(LOOKERS)]
    for _ in range(THREADS):
        await soon(partial(begun.acquire, blocking=False))
    other = asyncio.create_task(asyncio.to_thread(bool, 1))
    await asyncio.wait([other], timeout=5)
    is_free = other.done()
    answered.set()
    await asyncio.wait([other, *waiting], timeout=10)
    return is_free
