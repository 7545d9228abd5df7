"""The table ``bookings``: who has tickets for which event, updated from the outcomes."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connect.topics import JOBS
from streams.runtime.app import App
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.kafka_types import Headers, Record
from streams.runtime.produce import append_keyed
from streams.runtime.table import OffsetTable
from tables.bookings.records import REMINDERS_PREFIX, booking_offset, index_change
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.ids import id_bytes
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
        await self.table.save(partition, unit.take_records())

    def reminders(self, partition: int) -> Iterator[bytes]:
        """The entries of the index of reminders, the earliest first."""
        return (entry for entry, _ in self.table.scan(partition, REMINDERS_PREFIX))


async def send_jobs(app: App, jobs: Iterable[TracedJob]) -> None:
    """Append jobs to the partitions of their accounts; returns once they are stored."""
    await append_keyed(app, JOBS, [Record(id_bytes(job.account), encode_job(job), headers) for job, headers in jobs])
