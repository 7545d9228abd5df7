"""Why a command was refused: one word per rule."""

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Reasons of rejected purchases and holds, of other refused commands, and of ends that the buyer didn't ask for."""

    UNKNOWN_EVENT = "unknown-event"
    EVENT_NOT_OPEN = "event-not-open"
    UNKNOWN_TICKET_TYPE = "unknown-ticket-type"
    NOT_ON_SALE = "not-on-sale"
    ORDER_LIMIT_EXCEEDED = "order-limit-exceeded"
    PURCHASE_LIMIT_EXCEEDED = "purchase-limit-exceeded"
    CAPACITY_EXCEEDED = "capacity-exceeded"
    SOLD_OUT = "sold-out"
    MIXED_CURRENCIES = "mixed-currencies"
    HOLD_TOO_LONG = "hold-too-long"
    HOLD_LIMIT_EXCEEDED = "hold-limit-exceeded"
    HOLD_TOO_SOON = "hold-too-soon"

    SEATS_REQUIRED = "seats-required"
    NOT_SEATED = "not-seated"
    INVALID_SEATS = "invalid-seats"
    UNKNOWN_SEAT = "unknown-seat"
    SEAT_TAKEN = "seat-taken"
    NO_ADJACENT_SEATS = "no-adjacent-seats"
    UNEQUAL_EXCHANGE = "unequal-exchange"

    ID_REUSED = "id-reused"
    UNKNOWN_PURCHASE = "unknown-purchase"
    NOT_YOURS = "not-yours"
    NOT_HELD = "not-held"
    NOTHING_TO_CANCEL = "nothing-to-cancel"
    TOO_MANY_CHANGES = "too-many-changes"
    PAYMENT_REQUIRED = "payment-required"

    EVENT_CANCELED = "event-canceled"
    HOLD_ENDED = "hold-ended"


# The reason of a refusal and the numbers behind it, as Outcome.figures has them.
Refusal = tuple[Reason, dict[str, Any]]
