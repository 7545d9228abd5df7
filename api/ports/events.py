"""Events of the write model, each with its ticket types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from api.schemas.event import Event
from api.schemas.pagination import InvalidRow, Place
from api.schemas.ticket import TicketType
from tables.messages.statuses import EventStatus


@dataclass(frozen=True, slots=True)
class Listing:
    """An event with all of its ticket types: what is changed, versioned and announced as one."""

    event: Event
    tickets: tuple[TicketType, ...] = ()


class Events(Protocol):
    """The events of the write model, with their ticket types."""

    def add(self, listing: Listing) -> None:
        """Store a new event with its ticket types and announce it. Refused: already-exists, unknown-account."""

    def get(self, event: UUID) -> Event | None:
        """The event of that id."""

    def name(self, event: UUID) -> str | None:
        """The title of the event of that id."""

    def tickets(self, event: UUID) -> tuple[TicketType, ...] | None:
        """The ticket types of an event in their order; None without the event."""

    def ticket(self, ticket: UUID) -> TicketType | None:
        """The ticket type of that id."""

    def event_of(self, ticket: UUID) -> Event | None:
        """The event that has the ticket type of that id."""

    def list(
        self,
        limit: int,
        after: Place | None,
        *,
        organizer: UUID | None,
        status: EventStatus | None,
        drafts_of: UUID | None,
        all_drafts: bool,
    ) -> Sequence[Event | InvalidRow]:
        """At most so many events, the newest first, after that place. Drafts only of ``drafts_of``, or all."""

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        """Whether there was such an event, which is gone then; what ``decide`` makes of it is announced last."""

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        """Replace a listing by what ``decide`` makes of it, and announce it under the next version.

        Nobody else changes the event meanwhile. What ``decide`` raises leaves everything as it was.
        """
