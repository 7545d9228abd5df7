"""Many who look at what no server tells."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

LOOKERS = 20


async def threads_while(looking: Callable[[Callable[..., None]], Coroutine[Any, Any, Any]]) -> bool:
    """Whether the loop has a thread for others while LOOKERS wait for what ``looking`` does with a look that waits."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4))
    answered = threading.Event()

    def look(*_: object) -> None:
        answered.wait(10)

    waiting = [asyncio.create_task(looking(look)) for _ in range(LOOKERS)]
    await asyncio.sleep(0.1)
    other = asyncio.create_task(asyncio.to_thread(bool, 1))
    await asyncio.wait([other], timeout=1)
    is_free = other.done()
    answered.set()
    await asyncio.wait([other, *waiting], timeout=10)
    return is_free
