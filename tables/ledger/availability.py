"""The availability of a ticket type, as one word."""

from typing import NamedTuple

from tables.ledger.inventory import Inventory, TicketStock
from tables.messages.availability import Availability
from tables.messages.statuses import EventStatus

LOW_MAX_SHARE = 0.1


class Room(NamedTuple):
    """The tickets that an event's capacity leaves, None without one, and the held ones that may come back."""

    left: int | None = None
    held: int = 0

    @classmethod
    def within(cls, capacity: int | None, out: int, held: int) -> "Room":
        """The room where ``out`` tickets of all types together are held or sold, ``held`` of them only held."""
        return cls(None if capacity is None else max(0, capacity - out), held)


UNBOUNDED_ROOM = Room()


def room_of(inventory: Inventory) -> Room:
    """What the event's capacity leaves."""
    held = sum(each.held for each in inventory.stock.values())
    held += sum(each.held for each in inventory.removed.values())
    return Room.within(inventory.definition.capacity, inventory.out, held)


def available(stock: TicketStock, room: Room) -> int:
    """Tickets of a type that can be sold now, by its quantity and the event's capacity."""
    return stock.available if room.left is None else min(stock.available, room.left)


def availability(status: EventStatus, stock: TicketStock, at: int, room: Room = UNBOUNDED_ROOM) -> Availability:
    """The availability of a ticket type at ``at`` (ms)."""
    if status is not EventStatus.ACTIVE:
        return Availability(f"event_{status.value.lower()}")
    if stock.sale_starts is not None and at < stock.sale_starts:
        return Availability.NOT_ON_SALE_YET
    if stock.sale_ends is not None and at >= stock.sale_ends:
        return Availability.SALE_OVER
    if stock.available == 0:
        return Availability.HELD if stock.held and stock.sold < stock.quantity else Availability.SOLD_OUT
    if room.left == 0:
        return Availability.HELD if room.held else Availability.SOLD_OUT
    return Availability.LOW if available(stock, room) <= stock.quantity * LOW_MAX_SHARE else Availability.AVAILABLE
