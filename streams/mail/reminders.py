"""The timer of reminders: a hold that is about to end is told once, unless it was confirmed or given back."""

import time
from collections.abc import Callable
from itertools import islice, takewhile

from streams.mail.bookings import Bookings, Order
from streams.runtime.app import App
from streams.runtime.timer import run_timer
from tables.bookings.records import decode_reminder

INTERVAL_S = 0.5
RETRY_S = 2.0
MOST = 500


class Reminders:
    """Looks for holds whose reminder is due, where the bookings are known to be up to date."""

    def __init__(
        self,
        app: App,
        bookings: Bookings,
        caught_up: Callable[[int], bool],
        clock: Callable[[], float] = time.time,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self.app = app
        self.bookings = bookings
        self._caught_up = caught_up
        self._clock = clock
        self._interval_s = interval_s
        app.task(self._watch)

    async def look(self, partition: int) -> int:
        """Send what is due on a partition, ``MOST`` at once; how many entries that were."""
        async with self.bookings.turn:
            now = round(self._clock() * 1000)
            entries = takewhile(lambda entry: decode_reminder(entry)[0] <= now, self.bookings.reminders(partition))
            unit = self.bookings.unit_of_work(partition)
            due = list(islice(entries, MOST))
            orders = [Order(job) for job in (unit.reminder(entry, now) for entry in due) if job]
            await self.bookings.save(partition, unit, orders)
        return len(due)

    async def _watch(self) -> None:
        await run_timer(
            self.app, self._round, name="the timer of reminders", interval_s=self._interval_s, retry_interval_s=RETRY_S
        )

    async def _round(self) -> bool:
        for partition in self.bookings.owned():
            if self._caught_up(partition):
                await self.look(partition)
        return False
