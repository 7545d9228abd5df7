"""The timer that ends holds: once a deadline has passed, it appends an expire command, and changes nothing itself.

It reads the index of open holds in the ledger's table, on the partitions that this worker owns, and first makes sure
that the operator's limits on holds are in the log (streams/inventory/hold_limits.py).
"""

from collections.abc import Callable, Iterator

from connect.topics import COMMANDS
from streams.inventory.hold_limits import HoldLimitsWriter
from streams.runtime.app import App
from streams.runtime.assignment import working_partitions
from streams.runtime.kafka_types import Record
from streams.runtime.produce import append
from streams.runtime.table import OffsetTable
from streams.runtime.timer import add_timer, now_ms
from tables.ids import id_bytes
from tables.ledger.deadlines import BATCH_MAX_HOLDS, HOLDS_PREFIX, HoldSchedule, expiry_of
from tables.messages.commands import encode_command

INTERVAL_S = 0.2


class HoldExpiry:
    """Finds holds whose deadline has passed, while tables are recovered and partitions owned."""

    def __init__(self, app: App, table: OffsetTable, clock: Callable[[], int] = now_ms) -> None:
        self.app = app
        self.table = table
        self._limits = HoldLimitsWriter(app, table)
        self._clock = clock
        self._schedules: dict[int, HoldSchedule] = {}
        app.on_partitions_assigned.connect(self._forget)
        add_timer(app, self._expire_all, name="hold expiry", interval_s=INTERVAL_S)

    def decided(self, partition: int, offset: int, entries: list[bytes]) -> None:
        """The ledger has decided the log up to ``offset``, which added ``entries`` to the index."""
        schedule = self._schedules.get(partition)
        if schedule is not None:
            schedule.decided(offset, entries)

    def first_entry(self, partition: int) -> bytes:
        """A key of the index before which there is no open hold. A scan from there passes few removed entries."""
        schedule = self._schedules.get(partition)
        return HOLDS_PREFIX if schedule is None else schedule.first_entry

    async def expire(self, partition: int) -> bool:
        """Append the commands that are due on a partition. Whether more are due than one append takes."""
        schedule = self._schedules.setdefault(partition, HoldSchedule())
        now = self._clock()
        due = schedule.due(lambda start: self._entries(partition, start), now)
        if not due:
            return False
        commands = [expiry_of(entry) for entry in due]
        records = [Record(id_bytes(command.event), encode_command(command)) for command in commands]
        try:
            produced = await append(self.app, COMMANDS, partition, records)
        except Exception:
            schedule.not_sent(due)
            raise
        schedule.sent(due, now, produced.offsets[-1], produced.timestamp_ms)
        return len(due) == BATCH_MAX_HOLDS

    async def _expire_all(self) -> bool:
        more = False
        for partition in working_partitions(self.app, self.table):
            await self._limits.write(partition)
            more |= await self.expire(partition)
        return more

    def _entries(self, partition: int, start: bytes) -> Iterator[bytes]:
        return (entry for entry, _ in self.table.scan(partition, HOLDS_PREFIX, start))

    async def _forget(self, *_: object, **__: object) -> None:
        self._schedules.clear()
