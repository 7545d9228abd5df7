"""Payments, kept in memory; the provider answers as soon as a payment is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from api.ports.payments import OwnedPayment
from api.problems import Refused, Unavailable
from api.schemas.fields import Money
from api.schemas.payment import PaidPurchase, PaymentOverview, PurchasePayment, Refund, RefundList
from api.schemas.purchase import Purchase
from providers.port import PageFields
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tests.unit.api.fakes.clock import NOW


@dataclass
class FakePayments:
    """``webhooks`` are those that are taken, by their body; ``bought`` are the purchases."""

    bought: Mapping[tuple[UUID, UUID], Purchase] = field(default_factory=dict)
    provider: str | None = "paper"
    signature: str | None = "good"
    down: bool = False
    fields: PageFields | None = None
    rows: dict[tuple[UUID, UUID], PurchasePayment] = field(default_factory=dict)
    told: list[PaymentEvent] = field(default_factory=list)
    refundable: Decimal = Decimal(0)
    orders: list[Refund] = field(default_factory=list)
    decides: bool = True
    purchases: list[PaidPurchase] = field(default_factory=list)
    following: str | None = None
    seen: PaymentOverview = field(default_factory=lambda: PaymentOverview(money=[], waiting={}, oldest=[]))
    webhooks: dict[bytes, list[PaymentEvent]] = field(default_factory=dict)

    def hold(self, event: UUID, purchase: UUID, state: str = "due", **more: Any) -> None:
        """There is a payment in that state."""
        amounts = {"due": Decimal("49.90"), "captured": Decimal(0), "refunded": Decimal(0)}
        money = {name: Money.of(more.pop(name, amount), "EUR") for name, amount in amounts.items()}
        found = PurchasePayment(state=state, at=NOW, **money, **more)
        self.rows[event, purchase] = found

    def find(self, event: UUID, purchase: UUID) -> PurchasePayment | None:
        return self.rows.get((event, purchase))

    async def awaited(
        self, event: UUID, purchase: UUID, seconds: float, after: datetime | None = None
    ) -> OwnedPayment | None:
        found = self.find(event, purchase)
        bought = self.bought.get((event, purchase))
        account = None if bought is None else bought.account_id
        return None if found is None else OwnedPayment(account or UUID(int=0), found)

    def page_fields(self, event: UUID, purchase: UUID) -> PageFields | None:
        return self.fields if (event, purchase) in self.rows else None

    async def tell(self, *events: PaymentEvent) -> None:
        if self.down:
            raise Unavailable("kafka")
        for event in events:
            self.told.append(event)
            self._take(event)

    def _take(self, event: PaymentEvent) -> None:
        if event.kind is PaymentEventKind.REFUND_ORDERED and self.decides:
            self.order(event)
        known = self.rows.get((event.event, event.purchase))
        if event.kind is PaymentEventKind.STARTED and known is not None:
            later = known.at.replace(year=known.at.year + 1)
            changes = {"state": "authorizing", "url": "http://pay.example/1", "at": later}
            self.rows[event.event, event.purchase] = known.model_copy(update=changes)

    def refunds(self, event: UUID, purchase: UUID) -> RefundList | None:
        found = self.rows.get((event, purchase))
        if found is None:
            return None
        left = Money.of(self.refundable, found.due.currency)
        return RefundList(refundable=left, captured=found.captured, refunded=found.refunded, items=list(self.orders))

    def of_event(self, event: UUID, cursor: str | None) -> tuple[list[PaidPurchase], str | None]:
        return self.purchases, None if cursor else self.following

    def overview(self, now: datetime) -> PaymentOverview:
        return self.seen

    def order(self, event: PaymentEvent) -> None:
        amount = event.amount or Decimal(0)
        status = "ordered" if event.amount is None else "accepted" if amount <= self.refundable else "refused"
        assert event.request is not None
        assert event.account is not None
        said = {"reason": event.reason, "by": event.account, "at": event.at, "status": status}
        said["goodwill"] = event.amount is not None
        self.orders.append(Refund(id=event.request, amount=Money.of(amount, "EUR"), **said))
        self.refundable -= amount if status == "accepted" else 0

    def asks_about_webhooks(self, provider: str) -> bool:
        return provider != "paper"

    def read_webhook(self, provider: str, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        if provider != "paper":
            raise Refused("not-found")
        if self.signature is not None and headers.get("paper-signature") != self.signature:
            raise Refused("webhook-refused")
        return self.webhooks.get(body, [])
