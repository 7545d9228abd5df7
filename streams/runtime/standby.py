"""Standby copies: a worker follows the changelogs of partitions that others own, to take over at once.

A copy is written as in a recovery (streams/runtime/table.py): with its mark, never an older record over a newer one.
"""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from streams.runtime.failstop import fail_stop
from streams.runtime.table import OffsetTable

RETRY_S = 1.0

log = logging.getLogger(__name__)


class Standbys:
    """The copies that this worker keeps between two rebalances."""

    def __init__(self, retry_interval_s: float = RETRY_S) -> None:
        self._retry_interval_s = retry_interval_s
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, copies: Mapping[OffsetTable, set[int]]) -> None:
        """Follow these partitions of these tables, and no others."""
        self.end()
        for table, partitions in copies.items():
            if partitions:
                self._tasks.append(asyncio.create_task(_follow(table, partitions, self._retry_interval_s)))
                log.info("%s: standby for partitions %s", table.name, ", ".join(map(str, sorted(partitions))))

    def end(self) -> None:
        """Write to no copy any more."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []


async def _follow(table: OffsetTable, partitions: set[int], retry_interval_s: float) -> None:
    while True:
        try:
            await table.follow(partitions)
        except KafkaError as error:
            log.warning("%s: the standby copies wait for Kafka: %r", table.name, error)
            await asyncio.sleep(retry_interval_s)
        except Exception as error:  # noqa: BLE001 (an incomplete copy must not become the table)
            fail_stop("a standby", error)
