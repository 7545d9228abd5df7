"""The way to the ledger, and what is checked before a command is sent there."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from api.ports.sales import MaySee
from api.schemas.purchase import Purchase
from tables.messages.commands import Buy as PurchaseCommand
from tables.messages.commands import Cancel, Confirm, Hold
from tables.messages.outcomes import Outcome

BuyersCommand = PurchaseCommand | Hold | Confirm | Cancel


class Register(Protocol):
    """Who may buy what: asked before anything is written to the log."""

    async def check_account(self, account: UUID) -> None:
        """Refused: unknown-account."""

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-event, unknown-ticket-type; the fault points into the purchase's body.

        After it the ledger will know the event and the ticket types by the time that it comes to the purchase.
        """

    def forget(self, event: UUID) -> None:
        """The event has changed; it is to be read again before the next purchase."""


class TicketOffice(Protocol):
    """The way to the ledger."""

    def check_room(self) -> None:
        """Refused: busy, where no more requests may wait."""

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        """Hand in a command and wait for its decision.

        None means: in the log for good, undecided after ``wait`` seconds. Refused: still-running, busy, sold-out
        where that is known without asking. Unavailable: not known to be in the log.
        """

    async def watch(
        self,
        event: UUID,
        purchase: UUID,
        wait: float,
        look: Callable[[], Purchase | None],
        may_see: MaySee,
    ) -> Purchase | Outcome | None:
        """What ``look`` finds now; if that is nothing or pending, the outcome of the next ``wait`` seconds.

        A decision on the purchase of an account that the caller may not see ends no wait.
        """

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether there is surely no purchase of this id yet; False also where nobody can tell."""

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """Whose purchase it is, if this process lately put it into the log and had no decision in time."""


class Holders(Protocol):
    """Who holds tickets."""

    async def held(self, account: UUID) -> int:
        """The tickets that an account is known to hold, over all events."""
