"""Events of the write model, each with its ticket types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from api.schemas.event import Event
from api.schemas.pagination import InvalidRow, PagePosition
from api.schemas.ticket import TicketType
from tables.messages.statuses import EventStatus


@dataclass(frozen=True, slots=True)
class PlanInForce:
    """The version of an event's seating plan, and the ticket types that have seats or sections in it."""

    version: int
    categories: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Listing:
    """An event with its ticket types, which are changed, versioned and announced together."""

    event: Event
    tickets: tuple[TicketType, ...] = ()
    plan: PlanInForce | None = None


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
        after: PagePosition | None,
        *,
        organizer: UUID | None,
        status: EventStatus | None,
        drafts_of: UUID | None,
        all_drafts: bool,
    ) -> Sequence[Event | InvalidRow]:
        """At most ``limit`` events, newest first, after that position. Drafts only of ``drafts_of``, or all."""

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        """Delete an event after announcing the result of ``decide``; whether it existed."""

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        """Replace a listing by the result of ``decide``, and announce it with the next version.

        The event is locked meanwhile. An error of ``decide`` changes nothing.
        """
