"""Payments, kept in memory; the provider answers as soon as a payment is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from api.problems import Refused, Unavailable
from api.schemas.money import Money
from api.schemas.payment import PurchasePayment
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tests.unit.api.fakes.clock import NOW


@dataclass
class FakePayments:
    """``webhooks`` are those that are taken, by their body."""

    provider: str | None = "paper"
    signature: str | None = "good"
    down: bool = False
    rows: dict[tuple[UUID, UUID], PurchasePayment] = field(default_factory=dict)
    told: list[PaymentEvent] = field(default_factory=list)
    webhooks: dict[bytes, list[PaymentEvent]] = field(default_factory=dict)

    def hold(self, event: UUID, purchase: UUID, state: str = "due", **more: Any) -> None:
        """There is a payment in that state."""
        price, nothing = Money.of(Decimal("49.90"), "EUR"), Money.of(Decimal(0), "EUR")
        found = PurchasePayment(state=state, due=price, captured=nothing, refunded=nothing, at=NOW, **more)
        self.rows[event, purchase] = found

    def find(self, event: UUID, purchase: UUID) -> PurchasePayment | None:
        return self.rows.get((event, purchase))

    def tell(self, event: PaymentEvent) -> None:
        if self.down:
            raise Unavailable("kafka")
        self.told.append(event)
        known = self.rows.get((event.event, event.purchase))
        if event.kind is PaymentEventKind.STARTED and known is not None:
            later = known.at.replace(year=known.at.year + 1)
            changes = {"state": "authorizing", "url": "http://pay.example/1", "at": later}
            self.rows[event.event, event.purchase] = known.model_copy(update=changes)

    def read_webhook(self, provider: str, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        if provider != "paper":
            raise Refused("not-found")
        if self.signature is not None and headers.get("paper-signature") != self.signature:
            raise Refused("webhook-refused")
        return self.webhooks.get(body, [])
