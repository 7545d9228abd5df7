"""Reads of purchases, sales and stock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from api.auth.tokens import MaySee
from api.schemas.purchase import Purchase, PurchaseList
from api.schemas.sales import EventSales
from tables.messages.availability import Availability


class Sales(Protocol):
    """Purchases, as they are read."""

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        """The purchase, from the projection or from the worker that decided it.

        A purchase of an account that may not be seen takes the same steps as one that does not exist.
        """

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        """An account's purchases, newest first. Refused: invalid-input for an invalid cursor."""

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        """An event's purchases, and its totals. Refused: invalid-input for an invalid cursor."""

    def payments_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        """A row for each purchase of an event that is paid online, streamed; the first row has the column names."""

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        """A row for each line of each purchase of an event, streamed; the first row has the column names."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Who gets mails when an event changes: people, and their purchases, each with a mail."""

    people: int
    purchases: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Sales over time of the tickets that are sold now, by ticket type.

    A step is a share (0 to 1) of the time from the first to the last purchase, and the tickets sold up to then.
    """

    begins: datetime
    ends: datetime
    types: Mapping[UUID, tuple[tuple[float, int], ...]]


class Attendance(Protocol):
    """Attendees of an event, and its sales over time."""

    def reached(self, event: UUID) -> Reached:
        """Who has tickets or a hold, and so gets mails about changes."""

    def curve(self, event: UUID) -> Curve | None:
        """Sales over time; None if nothing is sold."""

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        """A row for each ticket type of each purchase, by name; the first row has the column names."""


@dataclass(frozen=True, slots=True)
class Left:
    """The availability of a ticket type, and how many are left."""

    state: Availability
    available: int


class StockLevels(Protocol):
    """What was bought of an event, and what is left."""

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether there are purchases of the event, or of its ticket type, that were not rejected."""

    def is_out(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether tickets of the event, or of its ticket type, are held or sold.

        It asks a worker and takes no connection to PostgreSQL. Raises Unavailable if no worker can tell.
        """

    def left(self, event: UUID) -> Mapping[UUID, Left] | None:
        """What is left by ticket type, at most a second old; None if nobody can tell."""
