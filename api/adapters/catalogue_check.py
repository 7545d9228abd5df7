"""Who may buy what, as PostgreSQL knows it, and whether the ledger has been told.

The promise: an event that can be read can be bought from. The first purchase that this process sees of an event,
of a ticket type or of a change made here is preceded in the log by the event's definition; so it never depends on
how far the change data capture is. The ledger ignores a definition that it has already.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from api.adapters.ledger.command_producer import KAFKA
from api.adapters.postgres.database import SERVER, Database
from api.bounded_cache import Bounded
from api.organizing.changes import definition
from api.ports.events import Listing
from api.problems import Fault, Refused, Unavailable
from tables.messages.commands import DefineEvent
from tables.messages.statuses import EventStatus

REMEMBERED_S: Final = 60.0
PATIENCE_S: Final = 1.8
PAUSE_S: Final = 1.0
MOST_ACCOUNTS: Final = 100_000
MOST_EVENTS: Final = 10_000


class Listings(Protocol):
    """The events of the write model."""

    def listing(self, event: UUID) -> Listing | None:
        """The event with its ticket types, all of one moment."""


@dataclass(slots=True)
class Known:
    """An event that the log has been told of: the version, the ticket types, until when (s) that is not looked up."""

    version: int
    ticket_types: frozenset[UUID]
    until: float


class RegisterRows:
    """The accounts, events and ticket types of the write model, for the loop. ``announce`` logs a definition."""

    def __init__(
        self,
        database: Database,
        listings: Listings,
        announce: Callable[[DefineEvent], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._listings = listings
        self._announce = announce
        self._clock = clock
        self._accounts: Bounded[UUID, bool] = Bounded(MOST_ACCOUNTS, REMEMBERED_S)
        self._events: dict[UUID, Known] = {}
        self._reading: dict[UUID, asyncio.Lock] = {}
        self._failed_at = float("-inf")

    async def check_account(self, account: UUID) -> None:
        """Refused: unknown-account."""
        if self._accounts.get(account):
            return
        known = await asyncio.to_thread(self._database.one, "SELECT 1 FROM account WHERE id = %(id)s", id=account)
        if known is None:
            raise Refused("unknown-account", "", Fault("there is no such account", "/accountId"))
        self._accounts.put(account, True)

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-event, of a draft too, unknown-ticket-type. The ledger knows event and types afterwards."""
        known = self._events.get(event)
        if known is None or known.until <= self._clock() or not known.ticket_types.issuperset(ticket_types):
            known = await self._read_once(event, ticket_types)
        if not known.ticket_types.issuperset(ticket_types):
            places = [place for place, wanted in enumerate(ticket_types) if wanted not in known.ticket_types]
            raise Refused("unknown-ticket-type", "", *(_unknown(place) for place in places))

    def forget(self, event: UUID) -> None:
        """In any thread: the event has changed; it is read again before the next purchase."""
        known = self._events.get(event)
        if known is not None:
            known.until = 0.0

    async def _read_once(self, event: UUID, ticket_types: list[UUID]) -> Known:
        """Read an event while everybody else who asks for it waits for this one reading."""
        lock = self._reading.setdefault(event, asyncio.Lock())
        try:
            await asyncio.wait_for(lock.acquire(), PATIENCE_S)
        except TimeoutError:
            raise Unavailable(SERVER) from None
        try:
            known = self._events.get(event)
            if known and known.until > self._clock() and known.ticket_types.issuperset(ticket_types):
                return known
            # Whoever waited for one that could not tell the log does not try for as long again.
            if self._clock() - self._failed_at < PAUSE_S:
                raise Unavailable(KAFKA)
            return await self._read(event, known)
        finally:
            lock.release()
            self._reading.pop(event, None)

    async def _read(self, event: UUID, known: Known | None) -> Known:
        try:
            listing = await asyncio.to_thread(self._listings.listing, event)
        except Unavailable:
            if known is None or known.until == 0.0:
                raise
            # What the ledger knows it does not forget: a sale goes on without PostgreSQL.
            known.until = self._clock() + REMEMBERED_S
            return known
        if listing is None or listing.event.status is EventStatus.DRAFT:
            raise Refused("unknown-event", "", Fault("there is no such event", "/eventId"))
        version = listing.event.version
        if known is None or known.version != version:
            await self._tell(DefineEvent(event, version, definition(listing)))
        types = frozenset(ticket.id for ticket in listing.tickets)
        fresh = self._events[event] = Known(version, types, self._clock() + REMEMBERED_S)
        while len(self._events) > MOST_EVENTS:
            del self._events[next(iter(self._events))]
        return fresh

    async def _tell(self, event: DefineEvent) -> None:
        try:
            await self._announce(event)
        except Unavailable:
            self._failed_at = self._clock()
            raise


def _unknown(place: int) -> Fault:
    return Fault("the event has no such ticket type", f"/lines/{place}/ticketTypeId")
