"""The purchases of an event that are paid online, for its organizer: page by page, the newest first."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import FIRST, LAST, fetch, shown
from api.schemas.fields import Money
from api.schemas.pagination import decode_cursor, encode_cursor
from api.schemas.payment import PaidPurchase
from api.schemas.purchase import public_id

PAGE_PURCHASES: Final = 50
_SELECT: Final = """
SELECT purchase.event_id, purchase.id, status, paid_worth, purchase.currency, made_at, state, captured, refunded,
       coalesce(disputed, false) AS disputed, concat_ws(' ', first_name, last_name) AS buyer
FROM purchase LEFT JOIN payment ON payment.event_id = purchase.event_id AND payment.purchase_id = purchase.id
LEFT JOIN account ON account.id = purchase.account_id
WHERE purchase.event_id = %(event)s AND paid_worth IS NOT NULL AND made_at BETWEEN %(first)s AND %(last)s
"""
_AFTER: Final = "AND (made_at, purchase.id) < (%(made_at)s, %(id)s)"
_ORDER: Final = f"ORDER BY made_at DESC, purchase.id DESC LIMIT {PAGE_PURCHASES + 1}"


class PaidPosition(msgspec.Struct, frozen=True, array_like=True):
    """The last purchase of a page."""

    made_at: datetime
    id: UUID


_POSITION: Final = msgspec.msgpack.Decoder(PaidPosition)


def paid_purchases(database: Database, event: UUID, cursor: str | None) -> tuple[list[PaidPurchase], str | None]:
    """A page, and the cursor of the next one. Refused: invalid-input for an invalid cursor."""
    after = None if cursor is None else decode_cursor(cursor, _POSITION)
    values: dict[str, Any] = {"event": event, "first": FIRST, "last": LAST}
    values |= {} if after is None else msgspec.structs.asdict(after)
    with database.transaction() as connection:
        rows = fetch(connection, f"{_SELECT} {'' if after is None else _AFTER} {_ORDER}", values)
    listed = rows[:PAGE_PURCHASES]
    items = [found for row in listed if (found := shown("purchase", row, _paid_purchase))]
    last = listed[-1] if len(rows) > PAGE_PURCHASES else None
    return items, None if last is None else encode_cursor(PaidPosition(last["made_at"], last["id"]))


def _paid_purchase(row: Any) -> PaidPurchase:
    amounts = {"worth": row["paid_worth"], "captured": row["captured"], "refunded": row["refunded"]}
    money = {name: Money.of(amount or Decimal(0), row["currency"]) for name, amount in amounts.items()}
    return PaidPurchase.model_validate(row | money | {"id": public_id(row["event_id"], row["id"])})
