"""The agent that turns outcomes into mails to send, and tells changes of an event to everybody with tickets."""

from connect.topics import OUTCOMES
from streams.mail.bookings import Bookings, Order
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, letter, sort_out
from streams.runtime.kafka_types import Message
from streams.runtime.positions import committed_offset, end_offset, next_record_offset
from streams.runtime.produce import Headers, Record
from streams.runtime.tracing import headers_from
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, OutcomeKind, decode_checked_outcome

CONSUMER = "notifications"
MOST = 1_000
# How many of an event's purchases are told a change at once; a crash repeats no more mails than these.
PAGE = 500


class NotificationsAgent:
    """Writes ``notification-jobs`` from ``ticket-purchase``."""

    def __init__(self, app: App, bookings: Bookings) -> None:
        self.app = app
        self.bookings = bookings
        self._next: dict[int, int] = {}
        app.on_partitions_assigned.connect(self._forget)
        add_agent(app, OUTCOMES, self._handle, name=CONSUMER, batch_max_records=MOST)

    def caught_up(self, partition: int) -> bool:
        """Whether no outcome of the partition is known to wait: what the bookings say is so."""
        due = self._next.get(partition, committed_offset(self.app, OUTCOMES, partition))
        end = end_offset(self.app, OUTCOMES, partition)
        return due is not None and end is not None and next_record_offset(self.app, OUTCOMES, partition, due) >= end

    async def _handle(self, messages: list[Message]) -> None:
        by_partition: dict[int, list[tuple[Message, Outcome]]] = {}
        readable, letters = sort_out(messages, decode_checked_outcome)
        for message, outcome in readable:
            by_partition.setdefault(message.partition, []).append((message, outcome))
        for partition, news in by_partition.items():
            async with self.bookings.turn:
                letters += await self._take_in(partition, news)
        await bury(self.app, CONSUMER, letters)
        for message in messages:
            self._next[message.partition] = message.offset + 1

    async def _take_in(self, partition: int, news: list[tuple[Message, Outcome]]) -> list[Record]:
        unit = self.bookings.unit_of_work(partition)
        letters: list[Record] = []
        orders: list[Order] = []
        for message, outcome in news:
            try:
                job = unit.apply(outcome)
            except MalformedRecord as error:
                letters.append(letter(message, error))
                continue
            headers = headers_from(message) if message.headers else ()
            if job:
                orders.append(Order(job, headers))
            if outcome.kind is OutcomeKind.CHANGED:
                await self.bookings.save(partition, unit, orders)
                orders.clear()
                await self._announce(partition, unit, outcome, headers)
        await self.bookings.save(partition, unit, orders)
        return letters

    async def _announce(self, partition: int, unit: BookingsUnitOfWork, outcome: Outcome, headers: Headers) -> None:
        """Tell an event's change page by page; how far it came is stored, and the next worker goes on from there.

        The first mail goes on with the change's trace, and stands for all of them: there may be thousands.
        """
        while (jobs := unit.announce(outcome.event, PAGE)) is not None:
            orders = [Order(job) for job in jobs]
            if orders:
                orders[0] = orders[0]._replace(headers=headers)
                headers = ()
            await self.bookings.save(partition, unit, orders)

    async def _forget(self, *_: object, **__: object) -> None:
        self._next.clear()
