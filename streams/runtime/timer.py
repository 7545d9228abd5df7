"""Work that a worker does by the clock, beside its agents."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiokafka.errors import KafkaError

from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.failstop import fail_stop

RETRY_S: Final = 1.0

Work = Callable[[], Awaitable[bool]]
log = logging.getLogger(__name__)


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return round(time.time() * 1000)


def add_timer(app: App, work: Work, *, name: str, interval_s: float) -> None:
    """Do ``work`` as ``run_timer`` does, from the worker's start on."""

    async def run() -> None:
        await run_timer(app, work, name=name, interval_s=interval_s)

    app.task(run)


async def run_timer(app: App, work: Work, *, name: str, interval_s: float) -> None:
    """Call ``work`` every ``interval_s`` until the worker stops; at once again while it returns that more is due.

    A rebalance puts it off, an error of Kafka's for RETRY_S. Any other error ends the process: without its
    timer a worker would leave that work undone and nobody would notice.
    """
    while not app.should_stop:
        pause_s = interval_s
        try:
            if await work():
                pause_s = 0
        except Interrupted:
            pass
        except KafkaError as error:
            log.warning("%s is put off: %r", name, error)
            pause_s = RETRY_S
        except Exception as error:  # noqa: BLE001 (see above)
            fail_stop(name, error)
        await asyncio.sleep(pause_s)
