"""Checks accounts, events and ticket types in PostgreSQL, and announces an event to the ledger before its purchases.

The promise: an event that can be read can be bought from. The first purchase that this process sees of an event, of a
ticket type or of a change made here follows the event's definition in the log, so it never waits for the change data
capture. The ledger ignores a definition that it has already.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from api.adapters.ledger.command_producer import KAFKA
from api.adapters.postgres.database import SERVER, Database
from api.bounded_cache import BoundedCache
from api.organizing.changes import definition
from api.ports.events import Listing
from api.ports.ledger import CatalogueCheck
from api.problems import Fault, Refused, Unavailable
from tables.messages.announcements import Announced
from tables.messages.commands import DefineEvent
from tables.messages.sections import DefineSection
from tables.messages.statuses import EventStatus

REMEMBERED_S: Final = 60.0
READ_TIMEOUT_S: Final = 1.8
RETRY_AFTER_S: Final = 1.0
ACCOUNTS_MAX: Final = 100_000
EVENTS_MAX: Final = 10_000


@dataclass(slots=True)
class AnnouncedEvent:
    """An event whose definition is in the log: version, ticket types, and until when (s) it is not read again."""

    version: int
    plan: int | None
    ticket_types: frozenset[UUID]
    until: float


@dataclass(slots=True)
class EventReading:
    """Purchases that wait for one event to be read, one of which reads; whether the event changed here meanwhile."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    is_changed: bool = False


class CatalogueRows(CatalogueCheck):
    """The accounts, events and ticket types of the write model. ``announce`` writes a definition to the log.

    ``listing`` reads an event with its ticket types, ``pieces`` a seating plan: none if it is not in force.
    """

    def __init__(
        self,
        database: Database,
        listing: Callable[[UUID], Listing | None],
        pieces: Callable[[UUID, int], list[DefineSection]],
        announce: Callable[[Announced], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._listing = listing
        self._pieces = pieces
        self._announce = announce
        self._clock = clock
        self._accounts: BoundedCache[UUID, bool] = BoundedCache(ACCOUNTS_MAX, REMEMBERED_S, clock)
        self._events: dict[UUID, AnnouncedEvent] = {}
        self._reading: dict[UUID, EventReading] = {}
        self._failed_at = float("-inf")

    async def check_account(self, account: UUID) -> None:
        if self._accounts.get(account):
            return
        known = await asyncio.to_thread(self._database.one, "SELECT 1 FROM account WHERE id = %(id)s", id=account)
        if known is None:
            raise Refused("unknown-account", "", Fault("there is no such account", "/accountId"))
        self._accounts.put(account, True)

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-event (a draft too), unknown-ticket-type. Afterwards the log has the definition."""
        known = self._events.get(event)
        if known is None or known.until <= self._clock() or not known.ticket_types.issuperset(ticket_types):
            known = await self._read_once(event, ticket_types)
        if not known.ticket_types.issuperset(ticket_types):
            places = [place for place, wanted in enumerate(ticket_types) if wanted not in known.ticket_types]
            raise Refused("unknown-ticket-type", "", *(_unknown(place) for place in places))

    def forget(self, event: UUID) -> None:
        """In any thread: the event has changed, so read it again before the next purchase."""
        # First, so that a read that ends in this moment has seen it or is found below.
        if (reading := self._reading.get(event)) is not None:
            reading.is_changed = True
        known = self._events.get(event)
        if known is not None:
            known.until = 0.0

    async def _read_once(self, event: UUID, ticket_types: list[UUID]) -> AnnouncedEvent:
        """Read an event once for all concurrent purchases."""
        reading = self._reading.setdefault(event, EventReading())
        reading.waiting += 1
        try:
            try:
                async with asyncio.timeout(READ_TIMEOUT_S):
                    await reading.lock.acquire()
            except TimeoutError:
                raise Unavailable(SERVER) from None
            try:
                known = self._events.get(event)
                if known and known.until > self._clock() and known.ticket_types.issuperset(ticket_types):
                    return known
                # If announcing has just failed, those that waited for it fail too.
                if self._clock() - self._failed_at < RETRY_AFTER_S:
                    raise Unavailable(KAFKA)
                return await self._read(event, known, reading)
            finally:
                reading.lock.release()
        finally:
            reading.waiting -= 1
            if not reading.waiting:
                del self._reading[event]

    async def _read(self, event: UUID, known: AnnouncedEvent | None, reading: EventReading) -> AnnouncedEvent:
        reading.is_changed = False
        try:
            listing = await asyncio.to_thread(self._listing, event)
        except Unavailable:
            if known is None or known.until == 0.0:
                raise
            # The ledger keeps the definition: sales go on without PostgreSQL.
            known.until = self._clock() + REMEMBERED_S
            return known
        if listing is None or listing.event.status is EventStatus.DRAFT:
            raise Refused("unknown-event", "", Fault("there is no such event", "/eventId"))
        version = listing.event.version
        plan = listing.plan.version if listing.plan else None
        if plan is not None and (known is None or known.plan != plan):
            for piece in await asyncio.to_thread(self._pieces, event, plan):
                await self._tell(piece)
        if known is None or known.version != version:
            await self._tell(DefineEvent(event, version, definition(listing)))
        types = frozenset(ticket.id for ticket in listing.tickets)
        fresh = self._events[event] = AnnouncedEvent(version, plan, types, self._clock() + REMEMBERED_S)
        if reading.is_changed:  # the change may be missing in what was read
            fresh.until = 0.0
        while len(self._events) > EVENTS_MAX:
            del self._events[next(iter(self._events))]
        return fresh

    async def _tell(self, command: Announced) -> None:
        try:
            await self._announce(command)
        except Unavailable:
            self._failed_at = self._clock()
            raise


def _unknown(place: int) -> Fault:
    return Fault("the event has no such ticket type", f"/lines/{place}/ticketTypeId")
