"""Warm copies: a worker follows the changelog partitions that it stands by for, so that it can take over at once.

A copy is written as a recovery writes it (streams/runtime/table.py): with its mark, and never an older record over a
newer one.
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

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, copies: Mapping[OffsetTable, set[int]]) -> None:
        """Follow these partitions of these tables from now on."""
        self.end()
        for table, partitions in copies.items():
            if partitions:
                self._tasks.append(asyncio.create_task(_follow(table, partitions)))
                log.info("%s: standing by for partitions %s", table.name, ", ".join(map(str, sorted(partitions))))

    def end(self) -> None:
        """Write nothing more to any copy."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []


async def _follow(table: OffsetTable, partitions: set[int]) -> None:
    while True:
        try:
            await table.follow(partitions)
        except KafkaError as error:
            log.warning("%s: the copies wait for Kafka: %r", table.name, error)
            await asyncio.sleep(RETRY_S)
        except Exception as error:  # noqa: BLE001 (a copy that is not whole must not be taken for one)
            fail_stop("a standby", error)
