"""Payments: the projection ``payment``, the topic ``payment-events`` and the providers."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from api.adapters.postgres.database import Database
from api.adapters.postgres.purchase_pages import purchase_page
from api.adapters.postgres.rows import FIRST, LAST, fetch, shown
from api.adapters.shared_waits import SharedWaits
from api.ports.payments import OwnedPayment, Payments
from api.problems import Refused, Unavailable
from api.schemas.fields import Money
from api.schemas.payment import (
    CurrencyTotals,
    PaidPurchase,
    PaymentOverview,
    PurchasePayment,
    Refund,
    RefundList,
    UnfinishedPayment,
)
from api.schemas.purchase import public_id
from providers.port import PageFields, Provider, ProviderUnavailable, WebhookRefused
from tables.errors import MalformedRecord
from tables.messages.encoding import encode_json
from tables.messages.payment_events import PaymentEvent

PAGE_PURCHASES: Final = 50
# Of unfinished payments.
OLDEST_MAX: Final = 50
RECENT: Final = timedelta(days=7)
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
_SELECT_PAID: Final = """
SELECT purchase.event_id, purchase.id, status, paid_worth, purchase.currency, made_at, state, captured, refunded,
       coalesce(disputed, false) AS disputed, concat_ws(' ', first_name, last_name) AS buyer
FROM purchase LEFT JOIN payment ON payment.event_id = purchase.event_id AND payment.purchase_id = purchase.id
LEFT JOIN account ON account.id = purchase.account_id
WHERE purchase.event_id = %(event)s AND paid_worth IS NOT NULL
"""
_AMOUNTS: Final = ("authorized", "captured", "refunded", "goodwill", "fees")
_MONEY: Final = """
SELECT currency, sum(authorized) AS authorized, sum(captured) AS captured, sum(refunded) AS refunded,
       sum(goodwill) AS goodwill, sum(fee) AS fees
FROM payment WHERE at >= %(since)s GROUP BY currency ORDER BY currency
"""
# As the index payment_unfinished has it.
_UNFINISHED: Final = "state IN ('confirming', 'capturing', 'revoking', 'refunding', 'voiding')"
_WAITING: Final = f"SELECT state, count(*) AS payments FROM payment WHERE {_UNFINISHED} GROUP BY state ORDER BY state"
_OLDEST: Final = f"""
SELECT event_id, purchase_id, state, provider, reference, due, currency, detail, since FROM payment
WHERE {_UNFINISHED} AND since BETWEEN %(first)s AND %(last)s ORDER BY since LIMIT {OLDEST_MAX}
"""


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
        return purchase_page(self._database, _SELECT_PAID, _paid_purchase, PAGE_PURCHASES, cursor, event=event)

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
        """In one transaction. Sums are of the payments that changed within RECENT, by the index payment_at."""
        with self._database.transaction() as connection:
            money = fetch(connection, _MONEY, {"since": now - RECENT})
            waiting = fetch(connection, _WAITING, {})
            oldest = fetch(connection, _OLDEST, {"first": FIRST, "last": LAST})
        return PaymentOverview(
            money=[CurrencyTotals(**_money(row, *_AMOUNTS)) for row in money],
            waiting={row["state"]: row["payments"] for row in waiting},
            oldest=[found for row in oldest if (found := shown("payment", row, _unfinished))],
        )

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
        rows = self._database.all(SELECT_AWAITED, awaited=f"[{b','.join(places).decode()}]")
        found = {places[row["place"] - 1]: shown("payment", row, _owned) for row in rows}
        return {awaited: payment for awaited, payment in found.items() if payment is not None}


def _owned(row: dict[str, Any]) -> OwnedPayment:
    return OwnedPayment(row["account_id"], _payment(row))


def _payment(row: dict[str, Any]) -> PurchasePayment:
    texts = {name: row[name] or None for name in ("provider", "url", "detail")}
    return PurchasePayment.model_validate(row | _money(row, "due", "captured", "refunded") | texts)


def _refunds(row: dict[str, Any]) -> RefundList:
    items = [_refund(order, row["currency"]) for order in row["refunds"]]
    return RefundList(**_money(row, "refundable", "captured", "refunded"), items=items)


def _refund(order: dict[str, Any], currency: str) -> Refund:
    amount = Money.of(Decimal(order["amount"]), currency)
    return Refund.model_validate(order | {"amount": amount, "refusal": order.get("refusal") or None})


def _money(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The amounts of a row in its currency."""
    return {name: Money.of(row[name], row["currency"]) for name in names}


def _paid_purchase(row: Any) -> PaidPurchase:
    amounts = {"worth": row["paid_worth"], "captured": row["captured"], "refunded": row["refunded"]}
    money = {name: Money.of(amount or Decimal(0), row["currency"]) for name, amount in amounts.items()}
    return PaidPurchase.model_validate(row | money | {"id": public_id(row["event_id"], row["id"])})


def _unfinished(row: Any) -> UnfinishedPayment:
    public, amount = public_id(row["event_id"], row["purchase_id"]), Money.of(row["due"], row["currency"])
    return UnfinishedPayment.model_validate(row | {"id": public, "amount": amount, "detail": row["detail"] or None})
