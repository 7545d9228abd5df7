"""Mending the ledger's records after a recovery, before any command is read."""

import logging
from typing import Any

from faust.types import TP

from connect.topics import COMMANDS
from streams.app import App
from streams.table import OffsetTable
from tables.mending import Unbooked, mended
from tables.records import purchase_prefix

log = logging.getLogger(__name__)


class Mending:
    """Watches what recoveries read, and makes records anew that lack what was decided and committed."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self.app = app
        self.table = table
        self._unbooked: dict[int, Unbooked] = {}
        table.reader = self._read
        app.before_agents.append(self.mend)

    async def mend(self) -> None:
        """Mend the partitions that this worker has recovered."""
        for partition in [each for each in self._unbooked if self.table.has_open(each)]:
            await self._mend(partition, self._unbooked.pop(partition))

    async def _mend(self, partition: int, unbooked: Unbooked) -> None:
        def load(key: bytes) -> bytes | None:
            return self.table.read(partition, key)

        committed = self._committed(partition)
        for event in unbooked.events(load, committed):
            purchases = (value for _, value in self.table.scan(partition, purchase_prefix(event)))
            records = mended(event, load, purchases, committed)
            if records:
                log.warning(
                    "%s[%d]: %d records of event %s lacked committed decisions, made anew from its purchases",
                    self.table.name,
                    partition,
                    len(records),
                    event,
                )
                self.table.store(partition, records)
                await self.table.publish(partition, records)

    def _read(self, partition: int, key: bytes, value: bytes) -> None:
        unbooked = self._unbooked.get(partition)
        if unbooked is None:
            unbooked = self._unbooked[partition] = Unbooked()
        unbooked.read(key, value)

    def _committed(self, partition: int) -> int:
        consumer: Any = self.app.consumer
        return consumer._committed_offset[TP(COMMANDS, partition)] or 0
