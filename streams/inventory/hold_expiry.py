"""The timer of holds: where a deadline has passed, it appends an expire command to the log, and nothing else.

It also sees that the operator's limits on holds are in the log before them (streams/inventory/hold_limits.py).

It reads the index of open holds that the ledger's table keeps, of the partitions that this worker owns.
"""

import time
from collections.abc import Callable, Iterator

from connect.topics import COMMANDS
from streams.inventory.hold_limits import LimitsInForce
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_running
from streams.runtime.produce import Record
from streams.runtime.retry import append
from streams.runtime.table import OffsetTable
from streams.runtime.timer import run_timer
from tables.ledger.deadlines import BATCH_MAX_HOLDS, HOLDS_PREFIX, HoldSchedule, expiry_of
from tables.messages.commands import encode_command

INTERVAL_S = 0.2
RETRY_S = 1.0


def wall_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return round(time.time() * 1000)


class Holds:
    """Looks for deadlines that have passed, while tables are recovered and partitions owned."""

    def __init__(
        self, app: App, table: OffsetTable, clock: Callable[[], int] = wall_clock, interval_s: float = INTERVAL_S
    ) -> None:
        self.app = app
        self.table = table
        self._limits = LimitsInForce(app, table)
        self._clock = clock
        self._interval_s = interval_s
        self._schedules: dict[int, HoldSchedule] = {}
        app.on_partitions_assigned.connect(self._forget)
        app.task(self._watch)

    def carried_out(self, partition: int, offset: int, entries: list[bytes]) -> None:
        """The ledger has carried out the log up to ``offset``; that brought ``entries`` into the index."""
        schedule = self._schedules.get(partition)
        if schedule is not None:
            schedule.decided(offset, entries)

    async def look(self, partition: int) -> bool:
        """Append what is due on a partition. Whether there is more than one look takes."""
        schedule = self._schedules.setdefault(partition, HoldSchedule())
        now = self._clock()
        due = schedule.due(lambda start: self._entries(partition, start), now)
        if not due:
            return False
        commands = [expiry_of(entry) for entry in due]
        records = [Record(str(command.event).encode(), encode_command(command)) for command in commands]
        try:
            place = await append(self.app, COMMANDS, partition, records)
        except Exception:
            schedule.not_sent(due)
            raise
        schedule.sent(due, now, place.offsets[-1], place.at)
        return len(due) == BATCH_MAX_HOLDS

    async def _watch(self) -> None:
        await run_timer(
            self.app, self._round, name="the timer of holds", interval_s=self._interval_s, retry_interval_s=RETRY_S
        )

    async def _round(self) -> bool:
        more = False
        for partition in self._owned():
            if self.table.has_open(partition):
                await self._limits.look(partition)
                more |= await self.look(partition)
        return more

    def _owned(self) -> list[int]:
        return active_partitions(self.app, self.table.name) if is_running(self.app) else []

    def _entries(self, partition: int, start: bytes) -> Iterator[bytes]:
        return (entry for entry, _ in self.table.scan(partition, HOLDS_PREFIX, start))

    async def _forget(self, *_: object, **__: object) -> None:
        self._schedules.clear()
