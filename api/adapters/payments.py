"""Payments: the projection ``payment``, the topic ``payment-events`` and the providers."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from api.adapters.paid_purchases import paid_purchases
from api.adapters.payment_overview import payment_overview
from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import fetch, shown
from api.adapters.shared_waits import SharedWaits
from api.ports.payments import OwnedPayment, Payments
from api.problems import Refused, Unavailable
from api.schemas.fields import Money
from api.schemas.payment import PaidPurchase, PaymentOverview, PurchasePayment, Refund, RefundList
from providers.port import PageFields, Provider, ProviderUnavailable, WebhookRefused
from tables.errors import MalformedRecord
from tables.messages.encoding import encode_json
from tables.messages.payment_events import PaymentEvent

# Event and purchase, and the time after which something must have happened: JSON, since it is asked for repeatedly.
Awaited = bytes
_COLUMNS: Final = """
SELECT event_id, purchase_id, account_id, state, due, captured, refunded, currency, provider, url, deadline, detail,
       disputed, at"""
_SELECT: Final = f"{_COLUMNS} FROM payment WHERE event_id = %(event)s AND purchase_id = %(purchase)s"
# OFFSET keeps it a look-up by key for each: of a young table, without statistics, PostgreSQL would read every row.
SELECT_AWAITED: Final = f"""
{_COLUMNS}, place
FROM ROWS FROM (json_to_recordset(%(awaited)s::json) AS (event_id uuid, purchase_id uuid, since_at timestamptz))
    WITH ORDINALITY AS awaited (awaited_event, awaited_purchase, since_at, place)
CROSS JOIN LATERAL (
    SELECT * FROM payment WHERE event_id = awaited_event AND purchase_id = awaited_purchase OFFSET 0
) AS payment
WHERE since_at IS NULL OR (at > since_at AND url <> '')
"""
_SELECT_REFUNDS: Final = """
SELECT event_id, purchase_id, captured, refunded, refundable, currency, refunds FROM payment
WHERE event_id = %(event)s AND purchase_id = %(purchase)s
"""
_SELECT_REFERENCE: Final = (
    "SELECT provider, reference FROM payment WHERE event_id = %(event)s AND purchase_id = %(purchase)s"
)


class PaymentRows(Payments):
    """``send`` writes events of one purchase to the log, or raises Unavailable."""

    def __init__(
        self, database: Database, send: Callable[..., Awaitable[None]], providers: Mapping[str, Provider]
    ) -> None:
        self._database = database
        self._waits = SharedWaits(self._read)
        self._send = send
        self._providers = providers

    @property
    def provider(self) -> str | None:
        return next(iter(self._providers), None)

    def find(self, event: UUID, purchase: UUID) -> PurchasePayment | None:
        row = self._database.one(_SELECT, event=event, purchase=purchase)
        return None if row is None else shown("payment", row, _payment)

    async def awaited(
        self, event: UUID, purchase: UUID, seconds: float, after: datetime | None = None
    ) -> OwnedPayment | None:
        awaited = encode_json({"event_id": event, "purchase_id": purchase, "since_at": after})
        return await self._waits.wait(awaited, seconds)

    def refunds(self, event: UUID, purchase: UUID) -> RefundList | None:
        row = self._database.one(_SELECT_REFUNDS, event=event, purchase=purchase)
        return None if row is None else shown("payment", row, _refunds)

    def of_event(self, event: UUID, cursor: str | None) -> tuple[list[PaidPurchase], str | None]:
        return paid_purchases(self._database, event, cursor)

    def page_fields(self, event: UUID, purchase: UUID) -> PageFields | None:
        row = self._database.one(_SELECT_REFERENCE, event=event, purchase=purchase)
        provider = self._providers.get(row["provider"]) if row else None
        if row is None or provider is None or not row["reference"]:
            return None
        try:
            return provider.page_fields(row["reference"])
        except ProviderUnavailable as error:
            raise Unavailable(provider.name) from error

    def overview(self, now: datetime) -> PaymentOverview:
        return payment_overview(self._database, now)

    async def tell(self, *events: PaymentEvent) -> None:
        await self._send(*events)

    def asks_about_webhooks(self, provider: str) -> bool:
        known = self._providers.get(provider)
        return known is None or known.asks_about_webhooks

    def read_webhook(self, provider: str, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        known = self._providers.get(provider)
        if known is None:
            raise Refused("not-found", "there is no such provider")
        try:
            return known.read_webhook(body, headers, now)
        except WebhookRefused as error:
            raise Refused("webhook-refused", str(error)) from error
        except MalformedRecord as error:
            raise Refused("invalid-input", str(error)) from error
        except ProviderUnavailable as error:
            raise Unavailable(known.name) from error

    def _read(self, wanted: Collection[Awaited]) -> dict[Awaited, OwnedPayment]:
        places = list(wanted)
        with self._database.transaction() as connection:
            rows = fetch(connection, SELECT_AWAITED, {"awaited": f"[{b','.join(places).decode()}]"})
        found = {places[row["place"] - 1]: shown("payment", row, _owned) for row in rows}
        return {awaited: payment for awaited, payment in found.items() if payment is not None}


def _owned(row: dict[str, Any]) -> OwnedPayment:
    return OwnedPayment(row["account_id"], _payment(row))


def _payment(row: dict[str, Any]) -> PurchasePayment:
    money = {name: Money.of(row[name], row["currency"]) for name in ("due", "captured", "refunded")}
    texts = {name: row[name] or None for name in ("provider", "url", "detail")}
    return PurchasePayment.model_validate(row | money | texts)


def _refunds(row: dict[str, Any]) -> RefundList:
    currency = row["currency"]
    return RefundList(
        refundable=Money.of(row["refundable"], currency),
        captured=Money.of(row["captured"], currency),
        refunded=Money.of(row["refunded"], currency),
        items=[
            Refund.model_validate(
                order
                | {"amount": Money.of(Decimal(order["amount"]), currency), "refusal": order.get("refusal") or None}
            )
            for order in row["refunds"]
        ],
    )
