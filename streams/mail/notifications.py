"""The agent that turns outcomes into mails, and an event's change into a mail to everybody with tickets."""

from connect.topics import OUTCOMES
from streams.mail.bookings import MAILS_AT_ONCE, Bookings, TracedJob
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.assignment import end_offset, next_readable_offset, start_offset
from streams.runtime.failures import dead_letter, decode_batch, is_interrupted
from streams.runtime.kafka_types import Headers, Message, Record
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.record_context import trace_headers
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, OutcomeKind, decode_checked_outcome

CONSUMER = "notifications"
BATCH_MAX_RECORDS = 1_000


class NotificationsAgent:
    """Writes ``notification-jobs`` from ``ticket-purchase``."""

    def __init__(self, app: App, bookings: Bookings, mails_at_once: int = MAILS_AT_ONCE) -> None:
        self.app = app
        self.bookings = bookings
        self._mails_at_once = mails_at_once
        self._next: dict[int, int] = {}
        app.on_partitions_assigned.connect(self._forget)
        app.add_agent(OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    def is_caught_up(self, partition: int) -> bool:
        """Whether all known outcomes of the partition are booked."""
        offset = self._next.get(partition, start_offset(self.app, OUTCOMES, partition))
        end = end_offset(self.app, OUTCOMES, partition)
        if offset is None or end is None:
            return False
        return next_readable_offset(self.app, OUTCOMES, partition, offset) >= end

    async def _handle(self, messages: list[Message]) -> None:
        by_partition: dict[int, list[tuple[Message, Outcome]]] = {}
        decoded, dead_letters = decode_batch(messages, decode_checked_outcome)
        for message, outcome in decoded:
            by_partition.setdefault(message.partition, []).append((message, outcome))
        for partition, outcomes in by_partition.items():
            async with self.bookings.lock:
                dead_letters += await self._book(partition, outcomes)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)
        for message in messages:
            self._next[message.partition] = message.offset + 1

    async def _book(self, partition: int, outcomes: list[tuple[Message, Outcome]]) -> list[Record]:
        """Book outcomes and send their mails. Gives dead letters of those that can't be booked."""
        unit = self.bookings.unit_of_work(partition)
        dead_letters: list[Record] = []
        jobs: list[TracedJob] = []
        for message, outcome in outcomes:
            try:
                job = unit.apply(outcome)
            except MalformedRecord as error:
                dead_letters.append(dead_letter(message, error))
                continue
            headers = trace_headers(message) if message.headers else ()
            if job:
                jobs.append(TracedJob(job, headers))
            if len(jobs) == self._mails_at_once or outcome.kind is OutcomeKind.CHANGED:
                await self.bookings.save(partition, unit, jobs)
                jobs.clear()
            if outcome.kind is OutcomeKind.CHANGED:
                await self._notify_all(partition, unit, outcome, headers)
        await self.bookings.save(partition, unit, jobs)
        return dead_letters

    async def _notify_all(self, partition: int, unit: BookingsUnitOfWork, outcome: Outcome, headers: Headers) -> None:
        """Send the mails about an event's change, page by page. The progress is stored: the next worker resumes there.

        There may be thousands of mails, so that only the first one continues the change's trace, and a rebalance waits
        for one page: a worker that is late would send what the next one sends, too. Raises Interrupted.
        """
        while (jobs := unit.announce(outcome.event, self._mails_at_once)) is not None:
            traced = [TracedJob(job) for job in jobs]
            if traced:
                traced[0] = traced[0]._replace(headers=headers)
                headers = ()
            await self.bookings.save(partition, unit, traced)
            if is_interrupted(self.app):
                raise Interrupted

    async def _forget(self, *_: object, **__: object) -> None:
        self._next.clear()
