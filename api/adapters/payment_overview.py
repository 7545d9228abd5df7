"""The operators' view of payments: the money by currency, and what waits for the ledger or a provider."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import FIRST, LAST, fetch, shown
from api.schemas.fields import Money
from api.schemas.payment import CurrencyTotals, PaymentOverview, UnfinishedPayment
from api.schemas.purchase import public_id

OLDEST_MAX: Final = 50
RECENT: Final = timedelta(days=7)
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


def payment_overview(database: Database, now: datetime) -> PaymentOverview:
    """The view, in one transaction. Sums are of the payments that changed within RECENT, by the index payment_at."""
    with database.transaction() as connection:
        money = fetch(connection, _MONEY, {"since": now - RECENT})
        waiting = fetch(connection, _WAITING, {})
        oldest = fetch(connection, _OLDEST, {"first": FIRST, "last": LAST})
    return PaymentOverview(
        money=[CurrencyTotals(**{name: Money.of(row[name], row["currency"]) for name in _AMOUNTS}) for row in money],
        waiting={row["state"]: row["payments"] for row in waiting},
        oldest=[found for row in oldest if (found := shown("payment", row, _unfinished))],
    )


def _unfinished(row: Any) -> UnfinishedPayment:
    public, amount = public_id(row["event_id"], row["purchase_id"]), Money.of(row["due"], row["currency"])
    return UnfinishedPayment.model_validate(row | {"id": public, "amount": amount, "detail": row["detail"] or None})
