"""Events with their ticket types."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from api.ports.events import Listing
from api.problems import Fault, Refused
from api.schemas.event import Event
from api.schemas.pagination import PagePosition
from api.schemas.ticket import TicketType
from tests.unit.api.fakes.accounts import FakeAccounts
from tests.unit.api.fakes.pagination import newest


@dataclass
class FakeEvents:
    """Listings by event id, and what was announced of them."""

    accounts: FakeAccounts
    rows: dict[UUID, Listing] = field(default_factory=dict)
    announced: list[Listing] = field(default_factory=list)

    def add(self, listing: Listing) -> None:
        if listing.event.id in self.rows:
            raise Refused("already-exists")
        if listing.event.organizer_id not in self.accounts.rows:
            raise Refused("unknown-account", "", Fault("there is no such account", "/organizerId"))
        self._store(listing)

    def get(self, event: UUID) -> Event | None:
        return self.rows[event].event if event in self.rows else None

    def name(self, event: UUID) -> str | None:
        return self.rows[event].event.title if event in self.rows else None

    def tickets(self, event: UUID) -> tuple[TicketType, ...] | None:
        return self.rows[event].tickets if event in self.rows else None

    def list(self, limit: int, after: PagePosition | None, **choice: Any) -> list[Event]:
        def chosen(event: Event) -> bool:
            if choice["organizer"] not in (None, event.organizer_id) or choice["status"] not in (None, event.status):
                return False
            return choice["all_drafts"] or event.status != "DRAFT" or event.organizer_id == choice["drafts_of"]

        return newest((row.event for row in self.rows.values() if chosen(row.event)), limit, after)

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        before = self.rows.get(event)
        if before is None:
            return False
        after = decide(before)
        self.announced.append(
            replace(after, event=after.event.model_copy(update={"version": before.event.version + 1}))
        )
        del self.rows[event]
        return True

    def ticket(self, ticket: UUID) -> TicketType | None:
        return next((row for listing in self.rows.values() for row in listing.tickets if row.id == ticket), None)

    def event_of(self, ticket: UUID) -> Event | None:
        found = self.ticket(ticket)
        return self.get(found.event_id) if found else None

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        before = self.rows.get(event)
        if before is None:
            return None
        after = decide(before)
        after = replace(after, event=after.event.model_copy(update={"version": before.event.version + 1}))
        self._store(after)
        return after

    def _store(self, listing: Listing) -> None:
        self.rows[listing.event.id] = listing
        self.accounts.organizers.add(listing.event.organizer_id)
        self.announced.append(listing)
