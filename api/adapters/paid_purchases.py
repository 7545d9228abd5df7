"""The purchases of an event that are paid online, for its organizer: page by page, the newest first."""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from api.adapters.postgres.database import Database
from api.adapters.postgres.purchase_pages import purchase_page
from api.schemas.fields import Money
from api.schemas.payment import PaidPurchase
from api.schemas.purchase import public_id

PAGE_PURCHASES: Final = 50
_SELECT: Final = """
SELECT purchase.event_id, purchase.id, status, paid_worth, purchase.currency, made_at, state, captured, refunded,
       coalesce(disputed, false) AS disputed, concat_ws(' ', first_name, last_name) AS buyer
FROM purchase LEFT JOIN payment ON payment.event_id = purchase.event_id AND payment.purchase_id = purchase.id
LEFT JOIN account ON account.id = purchase.account_id
WHERE purchase.event_id = %(event)s AND paid_worth IS NOT NULL
"""


def paid_purchases(database: Database, event: UUID, cursor: str | None) -> tuple[list[PaidPurchase], str | None]:
    """A page, and the cursor of the next one. Refused: invalid-input for an invalid cursor."""
    return purchase_page(database, _SELECT, _paid_purchase, PAGE_PURCHASES, cursor, event=event)


def _paid_purchase(row: Any) -> PaidPurchase:
    amounts = {"worth": row["paid_worth"], "captured": row["captured"], "refunded": row["refunded"]}
    money = {name: Money.of(amount or Decimal(0), row["currency"]) for name, amount in amounts.items()}
    return PaidPurchase.model_validate(row | money | {"id": public_id(row["event_id"], row["id"])})
