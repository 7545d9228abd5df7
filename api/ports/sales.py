"""Purchases and what they add up to, as they are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from api.auth.tokens import MaySee
from api.schemas.purchase import Purchase, PurchaseList
from api.schemas.sales import EventSales
from tables.ledger.availability import Availability


class Sales(Protocol):
    """Purchases as they stand."""

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        """The purchase, from the projection or from the worker that decided it.

        One of an account that may not be seen is looked for, and missed, as one that never was.
        """

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        """An account's purchases, the newest first. Refused: invalid-input for a cursor that is none."""

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        """An event's purchases and what they add up to. Refused: invalid-input for a cursor that is none."""

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        """Every line of every purchase of an event, read as it is taken; the first one tells the columns."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is told when an event changes: people, and their purchases, each of which is told of."""

    people: int
    purchases: int


@dataclass(frozen=True, slots=True)
class Curve:
    """How many tickets of each type were sold by when, of those that are sold now.

    Each step is its share of the time between the first and the last purchase, 0 to 1, and the tickets up to then.
    """

    begins: datetime
    ends: datetime
    types: Mapping[UUID, tuple[tuple[float, int], ...]]


class Attendance(Protocol):
    """Who comes to an event, and since when."""

    def reached(self, event: UUID) -> Reached:
        """Who has tickets or a hold, and is told of changes."""

    def curve(self, event: UUID) -> Curve | None:
        """How sales grew; None where nothing is sold."""

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        """A row for each ticket type of each purchase, by name; the first row tells the columns."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a ticket type, and how it stands in one word."""

    state: Availability
    available: int


class Stock(Protocol):
    """What was bought of an event."""

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether there are purchases of the event, or of its ticket type, refused ones left out."""

    def left(self, event: UUID) -> Mapping[UUID, Left] | None:
        """What is left of each ticket type, a second old at most; None where nobody can tell."""
