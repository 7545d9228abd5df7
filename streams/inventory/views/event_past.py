"""The stock of an event at an earlier moment: its commands decided once more from the log, as ``turnstile event`` does.

It begins at the newest snapshot before the moment, or at the beginning of the log. Bounded in records, time and number
of readers; the agents run between small steps.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from connect.client_options import client_options
from connect.records.fetching import FetchedRecord
from connect.topics import COMMANDS
from streams.inventory.snapshots import Snapshot, newest
from streams.inventory.views.moments import reached
from streams.runtime.app import App
from streams.runtime.kafka_types import KafkaError
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.topic_reader import TopicReader, reading_topic
from streams.runtime.web import Request, Response, json_response
from streams.runtime.web_problems import RequestProblem, unavailable
from streams.runtime.web_slots import WebSlots
from tables.errors import MalformedRecord
from tables.ids import TicketCodes
from tables.ledger.as_of import AsOf
from tables.ledger.event_replay import EventReplay, LogCommand, MemoryTable
from tables.ledger.views import EventView, LogPlaceView
from tables.messages.commands import decode_command

READERS_MAX: Final = 2
RECORDS_MAX: Final = 100_000
TIMEOUT_S: Final = 10.0
POLL_MAX_RECORDS: Final = 200
# After a step of this length the agents have as much time.
STEP_S: Final = 0.001


class EventPast:
    """Events at earlier moments."""

    def __init__(self, app: App, reads: PartitionReads, next_offset: Callable[[int], int | None]) -> None:
        self._reads = reads
        self._next_offset = next_offset
        self._snapshots = app.settings.ledger_snapshots
        self._kafka = client_options(app.settings)
        self._codes = TicketCodes.of_secret(app.settings.ticket_key.get_secret_value())
        self._slots = WebSlots(READERS_MAX)
        self.open_log: Callable[[int], AbstractAsyncContextManager[TopicReader]] = self._open_log

    async def answer(self, request: Request, event: UUID, as_of: AsOf) -> Response:
        """The owner's answer. Raises RequestProblem."""
        partition = self._reads.home_of(str(event))
        with self._slots:
            if partition not in self._reads.owned():
                return await self._reads.forward(request, partition, TIMEOUT_S)
            end = reached(as_of, self._next_offset(partition))
            return json_response(self._reads.known(await self._stock(request, event, as_of, end)))

    async def _stock(self, request: Request, event: UUID, as_of: AsOf, end: int) -> EventView | None:
        partition = self._reads.home_of(str(event))
        past = _Past(event, as_of, self._codes)
        try:
            async with asyncio.timeout(TIMEOUT_S), self.open_log(partition) as log:
                begin = (await log.begin_offsets())[partition]
                begin = await past.begin(newest(self._snapshots, partition, begin, as_of), begin)
                async with aclosing(log.records({partition: begin}, {partition: end})) as batches:
                    async for records in batches:
                        if await past.carry_out(record for record in records if record.offset < end):
                            break
                        self._check(request, partition)
        except TimeoutError as error:
            raise _too_long() from error
        except KafkaError as error:
            raise unavailable("the log can't be read now") from error
        return past.view()

    def _check(self, request: Request, partition: int) -> None:
        self._reads.check(partition)
        if self._reads.is_ending(request):
            raise unavailable("the worker stops")

    def _open_log(self, partition: int) -> AbstractAsyncContextManager[TopicReader]:
        return reading_topic(self._kafka, COMMANDS, POLL_MAX_RECORDS, [partition])


class _Past:
    """An event while its past is decided once more, and the last command so far."""

    def __init__(self, event: UUID, as_of: AsOf, codes: TicketCodes) -> None:
        self._table = MemoryTable()
        self._replay = EventReplay(self._table, event, codes)
        self._as_of = as_of
        self._place: LogPlaceView | None = None
        self._count = 0
        self._step_began_s = time.monotonic()

    async def begin(self, snapshot: Snapshot | None, log_begin: int) -> int:
        """Take over the event's records of a snapshot. Gives the first offset to carry out. Raises RequestProblem."""
        if snapshot is None:
            if log_begin > 0:
                raise RequestProblem("history-gone", f"the log begins at offset {log_begin}, and no snapshot is older")
            return 0
        for row in snapshot.rows(self._replay.event):
            self._table.write((row,))
            await self._step()
        self._place = LogPlaceView(snapshot.offset, snapshot.at)
        return snapshot.offset + 1

    async def carry_out(self, records: Iterable[FetchedRecord]) -> bool:
        """Carry out what comes before the moment. Whether the moment is reached. Raises RequestProblem."""
        for record in records:
            if not self._as_of.includes(record.offset, record.timestamp):
                return True
            self._place = LogPlaceView(record.offset, record.timestamp)
            with suppress(MalformedRecord):
                command = decode_command(record.value)
                self._replay.apply(LogCommand(record.offset, record.timestamp, command))
            await self._step()
        return False

    def view(self) -> EventView | None:
        """The stock at the moment; None if the ledger did not know the event then."""
        if self._place is None:
            return None
        at = self._place.at if self._as_of.at is None else self._as_of.at
        found = self._replay.stock(at)
        return None if found is None else replace(found, as_of=self._place)

    async def _step(self) -> None:
        self._count += 1
        if self._count > RECORDS_MAX:
            raise _too_long()
        if time.monotonic() - self._step_began_s >= STEP_S:
            await asyncio.sleep(STEP_S)
            self._step_began_s = time.monotonic()


def _too_long() -> RequestProblem:
    bounds = f"{RECORDS_MAX} records or {TIMEOUT_S:g} s"
    return RequestProblem("history-too-long", f"more than {bounds} to read: use `turnstile event EVENT --as-of MOMENT`")
