"""The timer of reminders: a hold that is about to end is told once, unless it was confirmed or given back."""

import asyncio
import logging
import time
from collections.abc import Callable
from itertools import islice, takewhile

from aiokafka.errors import KafkaError

from streams.mail.bookings import Bookings, Order
from streams.runtime.app import App
from streams.runtime.batching import Interrupted
from streams.runtime.failstop import fail_stop
from tables.bookings.records import decode_reminder

LOOK_S = 0.5
PAUSE_S = 2.0
MOST = 500

log = logging.getLogger(__name__)


class Reminders:
    """Looks for holds whose reminder is due, where the bookings are known to be up to date."""

    def __init__(
        self, app: App, bookings: Bookings, caught_up: Callable[[int], bool], clock: Callable[[], float] = time.time
    ) -> None:
        self.app = app
        self.bookings = bookings
        self._caught_up = caught_up
        self._clock = clock
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
        while not self.app.should_stop:
            pause = LOOK_S
            try:
                for partition in self.bookings.owned():
                    if self._caught_up(partition):
                        await self.look(partition)
            except Interrupted:
                pass
            except KafkaError as error:
                log.warning("reminders could not be sent yet: %r", error)
                pause = PAUSE_S
            except Exception as error:  # noqa: BLE001 (without the timer nobody would be reminded any more)
                fail_stop("the timer of reminders", error)
            await asyncio.sleep(pause)
