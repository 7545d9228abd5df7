"""Why a command was not carried out: one word per rule."""

from enum import StrEnum


class Reason(StrEnum):
    """Reasons of a rejected purchase or hold, of any other refused command, and of an end that nobody asked for."""

    UNKNOWN_EVENT = "unknown-event"
    EVENT_NOT_OPEN = "event-not-open"
    UNKNOWN_TICKET_TYPE = "unknown-ticket-type"
    NOT_ON_SALE = "not-on-sale"
    ORDER_LIMIT_EXCEEDED = "order-limit-exceeded"
    PURCHASE_LIMIT_EXCEEDED = "purchase-limit-exceeded"
    CAPACITY_EXCEEDED = "capacity-exceeded"
    SOLD_OUT = "sold-out"
    MIXED_CURRENCIES = "mixed-currencies"

    ID_REUSED = "id-reused"
    UNKNOWN_PURCHASE = "unknown-purchase"
    NOT_YOURS = "not-yours"
    NOT_HELD = "not-held"
    NOTHING_TO_CANCEL = "nothing-to-cancel"
    TOO_MANY_CHANGES = "too-many-changes"

    EVENT_CANCELED = "event-canceled"
