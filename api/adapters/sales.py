"""Purchases, from the projection, or from the worker that decided while the projection lags."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

from api.adapters.ledger.worker_views import WORKER, WorkerViews
from api.adapters.postgres.database import Database
from api.adapters.postgres.purchase_lines import LINES, QUANTITY
from api.adapters.postgres.purchase_pages import purchase_page
from api.adapters.postgres.rows import pass_over, shown
from api.auth.tokens import MaySee
from api.ports.sales import Sales
from api.problems import Unavailable
from api.schemas.fields import Money
from api.schemas.purchase import BoughtLine, Payment, Purchase, PurchaseList, payment_url, public_id
from api.schemas.sales import EventSales, PaymentTotals, TypeSales
from tables.messages.statuses import PurchaseStatus

# Invalid purchases that the log names.
INVALID_MAX_LOGGED: Final = 10
_COLUMNS_OF: Final = """
SELECT event_id, id, account_id, status, reason, figures, lines, returned, total, currency, deadline, paid_worth,
       payment_reference, at, made_at FROM purchase
"""
_SELECT: Final = f"{_COLUMNS_OF} WHERE event_id = %(event)s AND id = %(purchase)s"
# Invalid lines have neither ticket type nor name; some of their purchases are logged.
_SUMS: Final = f"""
SELECT (line->>'ticketTypeId')::uuid AS ticket_type_id, min(line->>'name') AS name, currency,
       coalesce(sum({QUANTITY}) FILTER (WHERE status = 'held'), 0) AS held,
       coalesce(sum({QUANTITY}) FILTER (WHERE status = 'confirmed'), 0) AS sold,
       coalesce(sum({QUANTITY} * (line->>'price')::numeric) FILTER (WHERE status = 'confirmed'), 0) AS revenue,
       (array_agg(id) FILTER (WHERE line IS NULL))[:{INVALID_MAX_LOGGED}] AS invalid
FROM purchase LEFT JOIN LATERAL {LINES} ON true
WHERE event_id = %(event)s AND status IN ('held', 'confirmed')
GROUP BY 1, currency ORDER BY 2, 1
"""

# The columns of the table of sales, and their sources.
_TABLE_COLUMNS: Final = (
    ("purchase", "event_id || '.' || id"),
    ("account", "account_id"),
    ("status", "status"),
    ("reason", "coalesce(reason, '')"),
    ("ticketType", "coalesce(line->>'ticketTypeId', '')"),
    ("name", "coalesce(line->>'name', '')"),
    ("quantity", f"coalesce({QUANTITY}, 0)"),
    ("price", "coalesce(line->>'price', '')"),
    ("currency", "coalesce(currency, '')"),
    ("madeAt", "made_at"),
    ("decidedAt", "at"),
)
_TABLE: Final = f"""
SELECT {", ".join(f'{source} AS "{name}"' for name, source in _TABLE_COLUMNS)}
FROM purchase LEFT JOIN LATERAL {LINES} ON true
WHERE event_id = %(event)s ORDER BY made_at, id
"""

# What is paid online, also where the organizer takes the money: there is no payment of a provider then.
_PAID: Final = """
FROM purchase LEFT JOIN payment ON payment.event_id = purchase.event_id AND payment.purchase_id = purchase.id
WHERE purchase.event_id = %(event)s AND purchase.paid_worth IS NOT NULL
"""
_PAYMENT_TOTALS: Final = f"""
SELECT purchase.currency, coalesce(sum(paid_worth) FILTER (WHERE status = 'confirmed'), 0) AS sold,
       coalesce(sum(captured), 0) AS captured, coalesce(sum(refunded), 0) AS refunded,
       coalesce(sum(least(coalesce(goodwill, 0), paid_worth)), 0) AS goodwill, coalesce(sum(fee), 0) AS fees,
       coalesce(sum(captured - refunded - fee), 0) AS payout, count(*) FILTER (WHERE disputed) AS disputed
{_PAID} AND purchase.currency ~ '^[A-Z]{{3}}$' GROUP BY purchase.currency ORDER BY purchase.currency
"""
_PAYMENT_COLUMNS: Final = (
    ("purchase", "purchase.event_id || '.' || purchase.id"),
    ("account", "purchase.account_id"),
    ("status", "status"),
    ("worth", "paid_worth"),
    ("currency", "purchase.currency"),
    ("reference", "coalesce(payment_reference, '')"),
    ("provider", "coalesce(provider, '')"),
    ("payment", "coalesce(state, '')"),
    ("captured", "coalesce(captured::text, '')"),
    ("refunded", "coalesce(refunded::text, '')"),
    ("madeAt", "made_at"),
    ("decidedAt", "purchase.at"),
    ("goodwill", "least(coalesce(goodwill, 0), paid_worth)"),
    ("fee", "coalesce(fee::text, '')"),
    ("payout", "captured - refunded - fee"),
    ("disputed", "coalesce(disputed, false)"),
)
_PAYMENT_TABLE: Final = f"""
SELECT {", ".join(f'{source} AS "{name}"' for name, source in _PAYMENT_COLUMNS)}
{_PAID} ORDER BY made_at, purchase.id
"""


class PurchaseRows(Sales):
    """The projection ``purchase``, and the workers' views. ``exports`` is for downloads."""

    def __init__(self, database: Database, exports: Database, views: WorkerViews) -> None:
        self._database = database
        self._exports = exports
        self._views = views

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        row = self._database.one(_SELECT, event=event, purchase=purchase)
        if row is not None and may_see(row["account_id"]) and (known := shown("purchase", row, projected)):
            return known
        viewed = self._views.purchase(event, purchase)
        if viewed is None:
            return None
        found = shown("a worker's view", viewed, partial(_viewed, event, purchase))
        if found is None or found.account_id is None:
            raise Unavailable(WORKER)
        return found if may_see(found.account_id) else None

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        query = f"{_COLUMNS_OF} WHERE account_id = %(account)s"
        items, following = purchase_page(self._database, query, projected, limit, cursor, account=account)
        return PurchaseList(items=items, next=following)

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        query = f"{_COLUMNS_OF} WHERE event_id = %(event)s"
        items, following = purchase_page(self._database, query, projected, limit, cursor, event=event)
        if cursor is not None:
            return EventSales(event_id=event, items=items, next=following)
        types, payments = self._types(event), self._payments(event)
        return EventSales(event_id=event, ticket_types=types, payments=payments, items=items, next=following)

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        return self._exports.stream(_TABLE, event=event)

    def payments_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        return self._exports.stream(_PAYMENT_TABLE, event=event)

    def _types(self, event: UUID) -> list[TypeSales]:
        rows = self._database.all(_SUMS, event=event)
        for purchase in (key for row in rows for key in row["invalid"] or ()):
            pass_over("purchase", purchase, "lines: can't be summed up")
        known = [row for row in rows if row["ticket_type_id"] is not None]
        return [TypeSales(**row | {"revenue": Money.of(row["revenue"], row["currency"])}) for row in known]

    def _payments(self, event: UUID) -> list[PaymentTotals]:
        rows = self._database.all(_PAYMENT_TOTALS, event=event)
        names = ("sold", "captured", "refunded", "goodwill", "fees", "payout")
        return [PaymentTotals(**row | {name: Money.of(row[name], row["currency"]) for name in names}) for row in rows]


def projected(row: Any) -> Purchase:
    """The purchase of a row."""
    return Purchase(
        id=public_id(row["event_id"], row["id"]),
        event_id=row["event_id"],
        account_id=row["account_id"],
        status=row["status"],
        reason=row["reason"],
        figures=row["figures"] or None,
        lines=_lines(row["lines"], row["currency"] or ""),
        returned=row["returned"] or None,
        total=Money.of(row["total"], row["currency"]) if row["currency"] else None,
        deadline=row["deadline"],
        payment=_payment(row),
        decided_at=row["at"],
    )


def _viewed(event: UUID, purchase: UUID, view: dict[str, Any]) -> Purchase:
    currency = view.get("currency") or ""
    lines = _lines(view.get("lines", []), currency)
    total = sum((line.price.exact * line.quantity for line in lines), Decimal(0))
    history = view.get("history") or [{}]
    return Purchase(
        id=public_id(event, purchase),
        event_id=event,
        account_id=view.get("account"),
        status=view["status"],
        reason=view.get("reason"),
        figures=view.get("figures") or None,
        lines=lines,
        returned=view.get("returned") or None,
        total=Money.of(total, currency) if currency else None,
        deadline=_moment(view.get("deadline")),
        payment=_payment(
            {
                "event_id": event,
                "id": purchase,
                "status": view["status"],
                "currency": currency,
                "deadline": _moment(view.get("deadline")),
                "paid_worth": None if view.get("payment") is None else Decimal(view["payment"]),
                "payment_reference": view.get("reference"),
            }
        ),
        decided_at=_moment(history[-1].get("at")),
    )


def _payment(row: Any) -> Payment | None:
    if row["payment_reference"] is not None:
        return Payment(reference=row["payment_reference"])
    if not row["paid_worth"] or row["status"] != PurchaseStatus.HELD:
        return None
    due = Money.of(row["paid_worth"], row["currency"])
    return Payment(due=due, deadline=row["deadline"], url=payment_url(public_id(row["event_id"], row["id"])))


def _lines(lines: list[dict[str, Any]], currency: str) -> list[BoughtLine]:
    return [
        BoughtLine(
            ticket_type_id=line.get("ticketTypeId") or line["ticketType"],
            name=line["name"],
            quantity=line["quantity"],
            price=Money.of(Decimal(line["price"]), currency),
            codes=line.get("codes", []),
            seats=line.get("seats") or None,
        )
        for line in lines
    ]


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
