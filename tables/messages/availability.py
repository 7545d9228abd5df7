"""Whether tickets can be bought, as one word: those of a type, and those of an event."""

from enum import StrEnum


class Availability(StrEnum):
    """Whether tickets of a type can be bought, and if not, why."""

    AVAILABLE = "available"
    LOW = "low"
    HELD = "held"
    SOLD_OUT = "sold_out"
    NOT_ON_SALE_YET = "not_on_sale_yet"
    SALE_OVER = "sale_over"
    EVENT_DRAFT = "event_draft"
    EVENT_ON_HOLD = "event_on_hold"
    EVENT_POSTPONED = "event_postponed"
    EVENT_SOLD_OUT = "event_sold_out"
    EVENT_DONE = "event_done"
    EVENT_CANCELED = "event_canceled"


class Tickets(StrEnum):
    """Whether an event has tickets on sale: the best that can be said of any of its types."""

    AVAILABLE = "available"
    LOW = "low"
    HELD = "held"
    NOT_ON_SALE_YET = "not_on_sale_yet"
    SOLD_OUT = "sold_out"
    SALE_OVER = "sale_over"
    NOT_ON_SALE = "not_on_sale"
