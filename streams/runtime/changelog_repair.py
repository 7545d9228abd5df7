"""Writing over what a paused worker wrote late: after a recovery, before any input is read, and once a minute.

Its records are older than others of their keys, which a compaction could drop in favour of them.
"""

import asyncio
import logging
from typing import Any, Final

from aiokafka.errors import IllegalStateError, KafkaError

from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_recovered
from streams.runtime.batching import Interrupted
from streams.runtime.failstop import fail_stop
from streams.runtime.positions import committed_offset
from streams.runtime.table import OffsetTable

LOOK_EVERY_S: Final = 60.0
CHANGING_HANDS: Final = (Interrupted, IllegalStateError)
# More than any version.
ALL: Final = 2**64

log = logging.getLogger(__name__)


class Mending:
    """Sees that the newest record of each key is the last one in the table's changelog.

    Where records are versioned by their input's offset, ``topic`` is that input: the replay appends what is from
    its committed offset on.
    """

    def __init__(self, app: App, table: OffsetTable, topic: str | None = None) -> None:
        self.app = app
        self.table = table
        self.topic = topic
        self._looking: asyncio.Future[None] | None = None
        app.before_agents.append(self.mend)
        app.on_partitions_revoked.connect(self._end_look)
        app.task(self._watch)

    async def mend(self) -> None:
        """Mend the partitions that this worker has recovered."""
        for partition in [number for number, keys in self.table.older.items() if keys]:
            if not self.table.has_open(partition):
                continue
            count = await self.table.write_over(partition, self._committed(partition))
            log.warning("%s[%d]: %d records were written again over older ones", self.table.name, partition, count)

    async def look(self) -> None:
        """Look whether anybody else has written to the changelog of a partition that this worker owns."""
        if not is_recovered(self.app):
            return
        for partition in active_partitions(self.app, self.table.name):
            if self.table.has_open(partition):
                await self.table.look_for_others(partition)

    async def _watch(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(LOOK_EVERY_S)
            self._looking = asyncio.ensure_future(self.look())
            [error] = await asyncio.gather(self._looking, return_exceptions=True)
            if isinstance(error, KafkaError) and not isinstance(error, IllegalStateError):
                log.warning("%s: the changelog can't be looked at: %r", self.table.name, error)
            elif isinstance(error, Exception) and not isinstance(error, CHANGING_HANDS):
                fail_stop(f"the look at the changelog of {self.table.name}", error)

    async def _end_look(self, *_: Any, **__: Any) -> None:
        """The partitions change hands; their next owner's recovery looks."""
        if self._looking is not None:
            self._looking.cancel()

    def _committed(self, partition: int) -> int:
        if self.topic is None:
            return ALL
        return committed_offset(self.app, self.topic, partition) or 0
