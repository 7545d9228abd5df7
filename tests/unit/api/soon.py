"""Waiting within a loop for what comes soon."""

import asyncio
from collections.abc import Callable


async def soon(condition: Callable[[], object]) -> None:
    """Return once the condition holds, which other tasks bring about. Raises TimeoutError after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (there is nothing else to wait for)
            await asyncio.sleep(0.001)
