"""Payments of purchases: read as the role payments wrote them, and what happens to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from api.schemas.payment import PaidPurchase, PaymentOverview, PurchasePayment, RefundList
from providers.port import PageFields
from tables.messages.payment_events import PaymentEvent


class OwnedPayment(NamedTuple):
    """A payment, and the account that has the purchase."""

    account: UUID
    payment: PurchasePayment


class Payments(Protocol):
    """The payments, and the providers that are configured."""

    @property
    def provider(self) -> str | None:
        """The provider of new payments; None if nothing is paid online here."""

    def find(self, event: UUID, purchase: UUID) -> PurchasePayment | None:
        """The payment of a purchase. There is none until the hold was read by the role payments."""

    async def awaited(
        self, event: UUID, purchase: UUID, seconds: float, after: datetime | None = None
    ) -> OwnedPayment | None:
        """In the loop: the payment with its account as soon as it is there, for many requests at once.

        With ``after``: as soon as something has happened since that time, and the page is known where it is paid. None
        after ``seconds``. Raises Unavailable.
        """

    def refunds(self, event: UUID, purchase: UUID) -> RefundList | None:
        """The refunds that were ordered of a purchase's payment; None if it has none."""

    def of_event(self, event: UUID, cursor: str | None) -> tuple[list[PaidPurchase], str | None]:
        """A page of the purchases of an event that are paid online, newest first, and the cursor of the next page.

        Refused: invalid-input for an invalid cursor.
        """

    def page_fields(self, event: UUID, purchase: UUID) -> PageFields | None:
        """For the provider's fields on our page; None where there are none. Raises Unavailable."""

    def overview(self, now: datetime) -> PaymentOverview:
        """The money of the last seven days, and what waits for the ledger or a provider."""

    async def tell(self, *events: PaymentEvent) -> None:
        """In the loop: write events of one purchase to the log; they are stored when this returns.

        Raises Unavailable.
        """

    def asks_about_webhooks(self, provider: str) -> bool:
        """Whether reading a webhook may block, since its provider is asked; also for an unknown provider."""

    def read_webhook(self, provider: str, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        """The events of a provider's webhook. Refused: not-found, webhook-refused, invalid-input, unavailable."""
