"""The ledger, and what is checked before a command is sent there."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from api.auth.tokens import MaySee
from api.schemas.purchase import Purchase
from tables.messages.commands import Buy as PurchaseCommand
from tables.messages.commands import Cancel, Confirm, Exchange, Hold
from tables.messages.outcomes import Outcome
from tables.messages.payment_events import PaymentEvent

BuyersCommand = PurchaseCommand | Hold | Confirm | Cancel | Exchange


class CatalogueCheck(Protocol):
    """Checks what a command names, before it is written to the log."""

    async def check_account(self, account: UUID) -> None:
        """Refused: unknown-account."""

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-event, unknown-ticket-type, with a pointer into the purchase's body.

        Afterwards the log has the event's definition before any command that is sent now.
        """

    def forget(self, event: UUID) -> None:
        """The event has changed: read it again before the next purchase."""


class LedgerGateway(Protocol):
    """The ledger: takes commands and tells their outcomes."""

    def check_limit(self) -> None:
        """Refused: busy, if as many requests wait as may."""

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        """Send a command and wait ``wait`` seconds for its outcome; None if it is in the log and undecided.

        Refused: still-running, busy, sold-out where that is known. Unavailable: not known to be in the log.
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

        The outcome for an account that the caller may not see ends no wait.
        """

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether there is surely no purchase of this id; False also if nobody can tell."""

    def take_hold(self, event: UUID, purchase: UUID, may_see: MaySee) -> PaymentEvent | None:
        """A hold that must be paid, as the event ``held``, if this process was just told of it: once.

        None for those who may not see it.
        """

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """Whose purchase it is, if this process lately logged it and got no outcome in time."""


class Holders(Protocol):
    """Holds of accounts."""

    async def held(self, account: UUID) -> int:
        """The tickets that an account is known to hold, over all events."""
