"""Repairing a changelog after a zombie's writes: after a recovery, before any input is read, and once a minute.

A paused worker that wakes up may append records that are older than others of their keys. The newest record of each
such key is appended again, so that compaction keeps that one.
"""

import asyncio
import logging
from typing import Any, Final

from aiokafka.errors import IllegalStateError, KafkaError

from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, committed_offset, is_recovered
from streams.runtime.failstop import fail_stop
from streams.runtime.table import OffsetTable

CHECK_INTERVAL_S: Final = 60.0
REBALANCE_ERRORS: Final = (Interrupted, IllegalStateError)
# Above every offset and every version.
NO_LIMIT: Final = 2**64

log = logging.getLogger(__name__)


class ChangelogRepair:
    """Keeps the newest record of each key the last one in the table's changelog.

    Where records are versioned by their input's offset, ``topic`` is that input: the replay appends the records from
    its committed offset on.
    """

    def __init__(
        self, app: App, table: OffsetTable, topic: str | None = None, interval_s: float = CHECK_INTERVAL_S
    ) -> None:
        self.app = app
        self.table = table
        self.topic = topic
        self._interval_s = interval_s
        self._checking: asyncio.Future[None] | None = None
        app.before_agents.append(self.repair)
        app.on_partitions_revoked.connect(self._cancel_check)
        app.task(self._run)

    async def repair(self) -> None:
        """Repair the partitions that this worker has recovered."""
        for partition in [number for number, keys in self.table.stale_keys.items() if keys]:
            if not self.table.is_open(partition):
                continue
            count = await self.table.reappend(partition, self._committed(partition))
            log.warning("%s[%d]: appended %d records again after older ones", self.table.name, partition, count)

    async def check(self) -> None:
        """Repair the partitions of this worker that another one has written to meanwhile."""
        if not is_recovered(self.app):
            return
        for partition in active_partitions(self.app, self.table.name):
            if self.table.is_open(partition):
                await self.table.check_foreign_writes(partition)

    async def _run(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(self._interval_s)
            self._checking = asyncio.ensure_future(self.check())
            [error] = await asyncio.gather(self._checking, return_exceptions=True)
            if isinstance(error, KafkaError) and not isinstance(error, IllegalStateError):
                log.warning("%s: the changelog can't be checked: %r", self.table.name, error)
            elif isinstance(error, Exception) and not isinstance(error, REBALANCE_ERRORS):
                fail_stop(f"the changelog check of {self.table.name}", error)

    async def _cancel_check(self, *_: Any, **__: Any) -> None:
        """The partitions move; their next owner's recovery checks them."""
        if self._checking is not None:
            self._checking.cancel()

    def _committed(self, partition: int) -> int:
        return NO_LIMIT if self.topic is None else committed_offset(self.app, self.topic, partition) or 0
