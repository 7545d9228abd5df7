"""An event's tickets in figures, and whether two looks at them can both be right."""

from collections.abc import Iterator
from typing import NamedTuple

from tables.ledger.inventory import Inventory
from tables.messages.outcomes import Balance


class Tally(NamedTuple):
    """What an event has: its title, its definition's version, the stock of each ticket type."""

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


class Sums(NamedTuple):
    """Tickets by state, over all types."""

    offered: int = 0
    held: int = 0
    sold: int = 0
    available: int = 0

    def plus(self, tally: Tally) -> "Sums":
        """With an event's tickets more."""
        balances = tally.balances
        return Sums(
            self.offered + sum(each.quantity for each in balances),
            self.held + sum(each.held for each in balances),
            self.sold + sum(each.sold for each in balances),
            self.available + sum(each.available for each in balances),
        )


def tally_of(inventory: Inventory) -> Tally:
    """An event as it stands now."""
    return Tally(inventory.definition.title, inventory.version, inventory.balances())


def breaches(before: Tally | None, now: Tally) -> Iterator[str]:
    """The name of a broken invariant, for each ticket type that shows one.

    More tickets out than there are is right only after the quantity was lowered, and then nothing more goes out: under
    the definition that an earlier look found, nothing explains that more are out now.
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
