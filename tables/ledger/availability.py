"""What a view says of an event's stock: figures and one word per ticket type."""

from enum import StrEnum
from typing import Any

from tables.ledger.inventory import Inventory, Shelf
from tables.messages.statuses import EventStatus

LOW_SHARE = 0.1


class Availability(StrEnum):
    """A ticket type's state in one word."""

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


def availability(status: EventStatus, shelf: Shelf, at: int) -> Availability:
    """The state of a ticket type at ``at`` (ms)."""
    if status is not EventStatus.ACTIVE:
        return Availability(f"event_{status.value.lower()}")
    if shelf.sale_starts is not None and at < shelf.sale_starts:
        return Availability.NOT_ON_SALE_YET
    if shelf.sale_ends is not None and at >= shelf.sale_ends:
        return Availability.SALE_OVER
    if shelf.available == 0:
        return Availability.HELD if shelf.held and shelf.sold < shelf.quantity else Availability.SOLD_OUT
    return Availability.LOW if shelf.available <= shelf.quantity * LOW_SHARE else Availability.AVAILABLE


def breakdown(inventory: Inventory, at: int) -> dict[str, Any]:
    """An event's inventory as JSON data."""
    status = inventory.definition.status
    return {
        "event": str(inventory.id),
        "version": inventory.version,
        "offset": inventory.offset,
        "status": status.value,
        "ticketTypes": [
            {
                "ticketType": str(key),
                "name": shelf.definition.name,
                "quantity": shelf.quantity,
                "held": shelf.held,
                "sold": shelf.sold,
                "available": shelf.available,
                "overcommitted": shelf.held + shelf.sold > shelf.quantity,
                "state": availability(status, shelf, at).value,
            }
            for key, shelf in inventory.shelves.items()
        ],
    }
