"""The timer of reminders: one mail before a hold ends, unless it was confirmed or released by then."""

import time
from collections.abc import Callable
from itertools import islice, takewhile

from streams.mail.bookings import MAILS_AT_ONCE, Bookings, TracedJob
from streams.runtime.app import App
from streams.runtime.assignment import working_partitions
from streams.runtime.timer import add_timer
from tables.bookings.records import decode_reminder

INTERVAL_S = 0.5


class Reminders:
    """Finds holds whose reminder is due, where ``is_caught_up(partition)`` says that the bookings are up to date."""

    def __init__(
        self,
        app: App,
        bookings: Bookings,
        is_caught_up: Callable[[int], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self.bookings = bookings
        self._is_caught_up = is_caught_up
        self._clock = clock
        add_timer(app, self._send_all, name="reminders", interval_s=INTERVAL_S)

    async def send_due(self, partition: int) -> int:
        """Send the reminders that are due on a partition, at most MAILS_AT_ONCE. Gives the number of entries."""
        async with self.bookings.lock:
            now_ms = round(self._clock() * 1000)
            entries = takewhile(lambda entry: decode_reminder(entry)[0] <= now_ms, self.bookings.reminders(partition))
            unit = self.bookings.unit_of_work(partition)
            due = list(islice(entries, MAILS_AT_ONCE))
            jobs = [TracedJob(job) for job in (unit.reminder(entry, now_ms) for entry in due) if job]
            await self.bookings.save(partition, unit, jobs)
        return len(due)

    async def _send_all(self) -> bool:
        more = False
        for partition in working_partitions(self.app, self.bookings.table):
            if self._is_caught_up(partition):
                more |= await self.send_due(partition) == MAILS_AT_ONCE
        return more
