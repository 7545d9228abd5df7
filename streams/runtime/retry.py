"""Retries transient errors in place and logs them once; they never make a dead letter."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from aiokafka import errors
from faust.types import AppT

from connect.partitioning import partition_of
from streams.runtime.agents import Interrupted, in_parallel
from streams.runtime.app import App
from streams.runtime.produce import Produced, Record, append_once

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
INTERRUPT_CHECK_S = 0.1
# The errors that show that too few brokers are available. A topic may be unknown to a broker whose metadata are old;
# that all topics exist was checked at the start (streams/runtime/provisioning.py).
BROKERS_UNAVAILABLE: Final[tuple[type[Exception], ...]] = (
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


async def with_retries(
    app: App,
    action: Callable[[], Awaitable[Result]],
    *,
    doing: str,
    transient: tuple[type[Exception], ...],
) -> Result:
    """The result of ``action``, retried with exponential backoff while it raises one of ``transient``.

    ``doing`` names it in the log and the metrics. Raises Interrupted when a rebalance or the worker's end begins
    meanwhile: the records stay uncommitted.
    """
    pause_s = BACKOFF_FIRST_S
    failed = False
    try:
        while True:
            try:
                result = await action()
            except transient as error:
                if not failed and app.counters.begin_wait(doing, time.monotonic()):
                    log.warning("%s failed, retrying until it works: %r", doing, error)
                failed = True
                await interruptible_sleep(app, pause_s)
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
            else:
                if failed and app.counters.end_wait(doing):
                    log.info("%s works again", doing)
                failed = False
                return result
    finally:
        if failed:
            app.counters.end_wait(doing)


async def append(app: App, topic: str, partition: int, records: Iterable[Record]) -> Produced:
    """Append ``records`` in order; returns once all replicas have them, however long brokers are unavailable.

    What a failed attempt has stored is then there twice. Raises as ``append_once`` and ``with_retries`` do.
    """
    rows = list(records)
    return await with_retries(
        app,
        lambda: append_once(app, topic, partition, rows),
        doing=f"appending to {topic}",
        transient=BROKERS_UNAVAILABLE,
    )


async def append_keyed(app: App, topic: str, records: Iterable[Record]) -> None:
    """Append records, each to the partition of its key, all partitions at once. Raises as ``append`` does."""
    homes: dict[int, list[Record]] = {}
    for record in records:
        assert record.key is not None, "a record without a key"
        homes.setdefault(partition_of(record.key, app.settings.partitions), []).append(record)
    await in_parallel(append(app, topic, partition, group) for partition, group in homes.items())


async def interruptible_sleep(app: AppT, seconds: float) -> None:
    """Sleep. Raises Interrupted when a rebalance or the worker's end begins meanwhile."""
    steps = max(1, math.ceil(seconds / INTERRUPT_CHECK_S))
    for _ in range(steps):
        await asyncio.sleep(seconds / steps)
        if is_interrupted(app):
            raise Interrupted


def is_interrupted(app: AppT) -> bool:
    """Whether a rebalance or the worker's end has begun: it waits for the batches that the agents have."""
    return bool(app.should_stop or not app.flow_control.is_active())
