"""An event's stock as the gauges show it, and the invariants between two readings of it."""

from collections.abc import Iterator
from typing import NamedTuple

from tables.ledger.inventory import Inventory
from tables.messages.outcomes import Balance


class EventStock(NamedTuple):
    """An event's title, the version of its definition, and the stock of each ticket type."""

    title: str
    version: int
    balances: tuple[Balance, ...]

    @property
    def out(self) -> int:
        """Tickets held or sold."""
        return sum(each.held + each.sold for each in self.balances)

    @property
    def overcommitted(self) -> int:
        """Tickets held or sold beyond the quantity."""
        return sum(max(0, each.held + each.sold - each.quantity) for each in self.balances)


class StockTotals(NamedTuple):
    """Tickets by state, of all types together."""

    offered: int = 0
    held: int = 0
    sold: int = 0
    available: int = 0

    def plus(self, event: EventStock) -> "StockTotals":
        """The totals with one more event."""
        balances = event.balances
        return StockTotals(
            self.offered + sum(each.quantity for each in balances),
            self.held + sum(each.held for each in balances),
            self.sold + sum(each.sold for each in balances),
            self.available + sum(each.available for each in balances),
        )


def event_stock(inventory: Inventory) -> EventStock:
    """The current stock of an event."""
    return EventStock(inventory.definition.title, inventory.version, inventory.balances())


def broken_invariants(before: EventStock | None, now: EventStock) -> Iterator[str]:
    """The name of the broken invariant for each ticket type that breaks one.

    More tickets may be out than the quantity only after it was lowered, and then no more may go out: with an unchanged
    definition the number of tickets out must not have grown.
    """
    known = {}
    if before is not None and before.version == now.version:
        known = {each.ticket_type: each.held + each.sold for each in before.balances}
    for each in now.balances:
        out = each.held + each.sold
        if each.held < 0 or each.sold < 0:
            yield "negative"
        elif each.quantity < out and known.get(each.ticket_type, out) < out:
            yield "oversold"
