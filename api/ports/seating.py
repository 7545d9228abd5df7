"""Seating plans of the write model, and which of their seats are taken."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from api.ports.events import Listing
from api.schemas.seating import SeatingSection, Seats


@dataclass(frozen=True, slots=True)
class SeatingNow:
    """An event under its lock: the sections of its plan, and the names of the seats that are held or sold."""

    listing: Listing
    sections: Sequence[dict[str, Any]]
    taken: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan: its version, and its sections as JSON in their order."""

    version: int
    sections: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outline:
    """A plan without its seats: its sections in short, and the ticket types that are sold by seat."""

    version: int
    sections: Sequence[SeatingSection]
    seated: frozenset[UUID]


class Seatings(Protocol):
    """The plans of the write model."""

    def plan(self, event: UUID) -> StoredPlan | None:
        """The plan of an event."""

    def outline(self, event: UUID) -> Outline | None:
        """The plan of an event without its seats."""

    def section(self, event: UUID, name: str) -> dict[str, Any] | None:
        """A section of the event's plan."""

    def change(self, event: UUID, decide: Callable[[SeatingNow], list[dict[str, Any]]]) -> Listing | None:
        """Replace a plan by the result of ``decide``, none for an empty one, and announce the next version.

        The event is locked meanwhile. Nothing happens if there is no such event. Refused: invalid-input.
        """

    def seats(self, event: UUID, since: int) -> Seats | None:
        """Which seats are taken, at most a second old; None without a plan. Sections that changed after ``since``."""

    def follow(self, event: UUID, since: int) -> AsyncIterator[bytes]:
        """Server-sent events with what has changed, for the loop. Refused: busy."""
