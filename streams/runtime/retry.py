"""Retrying in place: a fault that passes is waited out, said once, and never dead-lettered."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from aiokafka import errors
from faust.types import AppT

from streams.runtime.app import App
from streams.runtime.batching import Interrupted
from streams.runtime.produce import Place, Record, try_append

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
LOOK_S = 0.1
# How it shows that the brokers, or enough of them, are away. A topic is unknown to who has not been told of it yet;
# that all of them are there was seen at the start (streams/runtime/provisioning.py).
BROKERS_AWAY: Final[tuple[type[Exception], ...]] = (
    errors.KafkaConnectionError,
    errors.KafkaStorageError,
    errors.KafkaTimeoutError,
    errors.LeaderNotAvailableError,
    errors.NodeNotReadyError,
    errors.NotEnoughReplicasAfterAppendError,
    errors.NotEnoughReplicasError,
    errors.NotLeaderForPartitionError,
    errors.RequestTimedOutError,
    errors.StaleMetadata,
    errors.UnknownTopicOrPartitionError,
)

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
                if not failed and app.figures.waits(doing, time.monotonic()):
                    log.warning("%s failed, will be tried until it works: %r", doing, error)
                failed = True
                await wait(app, pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                if failed and app.figures.waits_no_more(doing):
                    log.info("%s works again", doing)
                failed = False
                return result
    finally:
        if failed:
            app.figures.waits_no_more(doing)


async def append(app: App, topic: str, partition: int, records: Iterable[Record]) -> Place:
    """Append ``records`` in order and wait until the brokers have them, however long they are away.

    What an attempt has stored that was not acknowledged stands there twice. Raises as ``try_append`` and
    ``patiently`` do.
    """
    rows = list(records)
    return await patiently(
        app,
        lambda: try_append(app, topic, partition, rows),
        doing=f"appending to {topic}",
        passing=BROKERS_AWAY,
    )


async def wait(app: AppT, seconds: float) -> None:
    """Let so many seconds pass. Raises Interrupted when a rebalance or the worker's end begins meanwhile."""
    for _ in range(max(1, round(seconds / LOOK_S))):
        await asyncio.sleep(LOOK_S)
        if app.should_stop or not app.flow_control.is_active():
            raise Interrupted
