"""Writing over what a paused worker wrote late, after a recovery and before any input is read.

Its records are older than others of their keys, which a compaction could drop in favour of them.
"""

import logging
from typing import Any, Final

from faust.types import TP

from streams.app import App
from streams.table import OffsetTable

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
        app.before_agents.append(self.mend)

    async def mend(self) -> None:
        """Mend the partitions that this worker has recovered."""
        for partition in [number for number, keys in self.table.older.items() if keys]:
            if not self.table.has_open(partition):
                continue
            count = await self.table.write_over(partition, self._committed(partition))
            log.warning("%s[%d]: %d records were written again over older ones", self.table.name, partition, count)

    def _committed(self, partition: int) -> int:
        if self.topic is None:
            return ALL
        consumer: Any = self.app.consumer
        return consumer._committed_offset[TP(self.topic, partition)] or 0
