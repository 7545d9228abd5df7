"""The table ``bookings`` on its worker: who has tickets of which event, kept from the outcomes."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connect.topics import JOBS
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_running
from streams.runtime.changelog_repair import Mending
from streams.runtime.partitioning import partition_of
from streams.runtime.produce import Headers, Record
from streams.runtime.retry import append
from streams.runtime.table import OffsetTable
from tables.bookings.records import REMINDERS_PREFIX, booking_offset, index_change
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.messages.mail_jobs import Job, encode_job

TABLE = "bookings"


class Order(NamedTuple):
    """A mail to send, and the headers of its record."""

    job: Job
    headers: Headers = ()


class Bookings:
    """The table. Whoever reads records to write them has ``turn``, or one would undo what another did."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.table = OffsetTable.add(app, TABLE, app.settings.partitions, booking_offset, index_change)
        self.mending = Mending(app, self.table)
        self.turn = asyncio.Lock()

    def unit_of_work(self, partition: int) -> BookingsUnitOfWork:
        """A unit of work on one partition."""
        return BookingsUnitOfWork(
            lambda key: self.table.read(partition, key),
            # A zero byte more than the key that was read last is the first that can come after it.
            lambda prefix, after: self.table.scan(partition, prefix, after + b"\0" if after else b""),
        )

    async def save(self, partition: int, unit: BookingsUnitOfWork, orders: Iterable[Order]) -> None:
        """Store the mails, then the records that say so."""
        await send_jobs(self.app, orders)
        changed = unit.take_records()
        if changed:
            self.table.store(partition, changed)
            await self.table.publish(partition, changed)

    def reminders(self, partition: int) -> Iterator[bytes]:
        """The entries of the index, the earliest first."""
        return (entry for entry, _ in self.table.scan(partition, REMINDERS_PREFIX))

    def owned(self) -> list[int]:
        """The partitions that this worker has, recovered and not about to lose them."""
        owned = active_partitions(self.app, TABLE) if is_running(self.app) else []
        return [partition for partition in owned if self.table.has_open(partition)]


async def send_jobs(app: App, orders: Iterable[Order]) -> None:
    """Append jobs where their accounts' contacts are; returns once they are stored."""
    by_home: dict[int, list[Record]] = {}
    for job, headers in orders:
        key = str(job.account).encode()
        home = partition_of(key, app.settings.partitions)
        by_home.setdefault(home, []).append(Record(key, encode_job(job), headers))
    for home, records in by_home.items():
        await append(app, JOBS, home, records)
