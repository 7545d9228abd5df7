"""The statuses of events and purchases, and how an event may change."""

from enum import StrEnum
from typing import Final, TypeVar

Known = TypeVar("Known")


class EventStatus(StrEnum):
    """The status of an event; tickets sell only while it is ACTIVE."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    POSTPONED = "POSTPONED"
    SOLD_OUT = "SOLD_OUT"
    DONE = "DONE"
    CANCELED = "CANCELED"


EVENT_TRANSITIONS: Final[dict[EventStatus, frozenset[EventStatus]]] = {
    EventStatus.DRAFT: frozenset({EventStatus.ACTIVE, EventStatus.CANCELED}),
    EventStatus.ACTIVE: frozenset(
        {EventStatus.ON_HOLD, EventStatus.POSTPONED, EventStatus.SOLD_OUT, EventStatus.DONE, EventStatus.CANCELED}
    ),
    EventStatus.ON_HOLD: frozenset({EventStatus.ACTIVE, EventStatus.POSTPONED, EventStatus.CANCELED}),
    EventStatus.POSTPONED: frozenset({EventStatus.ACTIVE, EventStatus.ON_HOLD, EventStatus.CANCELED}),
    EventStatus.SOLD_OUT: frozenset(
        {EventStatus.ACTIVE, EventStatus.POSTPONED, EventStatus.DONE, EventStatus.CANCELED}
    ),
    EventStatus.DONE: frozenset(),
    EventStatus.CANCELED: frozenset(),
}


class PurchaseStatus(StrEnum):
    """The status of a purchase. Only HELD and CONFIRMED occupy stock."""

    HELD = "held"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


def may_change(before: EventStatus, after: EventStatus) -> bool:
    """Whether an event may change from one status to another; keeping its status is always allowed."""
    return before == after or after in EVENT_TRANSITIONS[before]


def before_postponement(
    latest: Known, former: Known | None, statuses: tuple[str, str], *, is_as_before: bool
) -> Known | None:
    """What was known of an event before its last postponement, after a change of its status from one to the other.

    ``latest`` was known before this change, ``former`` before the postponement until now. None if there was none, or
    if the event then takes place at its former time (``is_as_before``).
    """
    before, after = statuses
    if after == EventStatus.POSTPONED:
        return former if before == EventStatus.POSTPONED else latest
    return None if is_as_before else former
