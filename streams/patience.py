"""Retrying in place: a fault that passes is waited out, said once, and never dead-lettered."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from faust.types import AppT

from streams.app import App
from streams.batches import Interrupted

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
LOOK_S = 0.1

Result = TypeVar("Result")
log = logging.getLogger(__name__)


async def patiently(
    app: App,
    action: Callable[[], Awaitable[Result]],
    *,
    doing: str,
    passing: tuple[type[Exception], ...],
) -> Result:
    """The result of ``action``, tried again with growing pauses while it raises one of ``passing``.

    Raises Interrupted when a rebalance or the worker's end begins meanwhile: the records stay unacknowledged.
    """
    pause = FIRST_PAUSE_S
    failed = False
    try:
        while True:
            try:
                result = await action()
            except passing as error:
                if not failed:
                    log.warning("%s failed, will be tried until it works: %r", doing, error)
                    app.figures.waits(doing, time.monotonic())
                failed = True
                await wait(app, pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                if failed:
                    log.info("%s works again", doing)
                return result
    finally:
        if failed:
            app.figures.waits(doing, None)


async def wait(app: AppT, seconds: float) -> None:
    """Let so many seconds pass. Raises Interrupted when a rebalance or the worker's end begins meanwhile."""
    for _ in range(max(1, round(seconds / LOOK_S))):
        await asyncio.sleep(LOOK_S)
        if app.should_stop or not app.flow_control.is_active():
            raise Interrupted
