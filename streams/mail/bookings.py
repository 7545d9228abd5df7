"""The table ``bookings``: who has tickets for which event, updated from the outcomes."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connect.partitioning import partition_of
from connect.topics import JOBS
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_running
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.kafka_types import Headers, Record
from streams.runtime.produce import append
from streams.runtime.table import OffsetTable
from tables.bookings.records import REMINDERS_PREFIX, booking_offset, index_change
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.messages.mail_jobs import Job, encode_job

TABLE = "bookings"
# Mails whose records are stored together. A crash between the two repeats these.
MAILS_AT_ONCE = 100


class TracedJob(NamedTuple):
    """A mail to send, and the trace headers of its record."""

    job: Job
    headers: Headers = ()


class Bookings:
    """The table. Hold ``lock`` from reading records to saving them."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.table = OffsetTable.add(app, TABLE, app.settings.partitions, booking_offset, index_change)
        self.changelog_repair = ChangelogRepair(app, self.table)
        self.lock = asyncio.Lock()

    def unit_of_work(self, partition: int) -> BookingsUnitOfWork:
        return BookingsUnitOfWork(
            lambda key: self.table.read(partition, key),
            # With a zero byte more, a key is the first one that can follow it.
            lambda prefix, after: self.table.scan(partition, prefix, after + b"\0" if after else b""),
        )

    async def save(self, partition: int, unit: BookingsUnitOfWork, jobs: Iterable[TracedJob]) -> None:
        """Store the mails to send, then the records that note them as sent."""
        await send_jobs(self.app, jobs)
        changed = unit.take_records()
        if changed:
            self.table.store(partition, changed)
            await self.table.publish(partition, changed)

    def reminders(self, partition: int) -> Iterator[bytes]:
        """The entries of the index of reminders, the earliest first."""
        return (entry for entry, _ in self.table.scan(partition, REMINDERS_PREFIX))

    def owned(self) -> list[int]:
        """The partitions that this worker owns, recovered and not about to be revoked."""
        owned = active_partitions(self.app, TABLE) if is_running(self.app) else []
        return [partition for partition in owned if self.table.is_open(partition)]


async def send_jobs(app: App, jobs: Iterable[TracedJob]) -> None:
    """Append jobs to the partitions of their accounts; returns once they are stored."""
    by_partition: dict[int, list[Record]] = {}
    for job, headers in jobs:
        key = str(job.account).encode()
        partition = partition_of(key, app.settings.partitions)
        by_partition.setdefault(partition, []).append(Record(key, encode_job(job), headers))
    for partition, records in by_partition.items():
        await append(app, JOBS, partition, records)
