"""Lists of purchases, page by page, the newest first: a cursor has the last one's place, which never changes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import FIRST, LAST, shown
from api.schemas.pagination import decode_cursor, encode_cursor

Item = TypeVar("Item")
_AFTER: Final = "AND (made_at, purchase.event_id, purchase.id) < (%(made_at)s, %(event_id)s, %(id)s)"
_ORDER: Final = "ORDER BY made_at DESC, purchase.event_id DESC, purchase.id DESC LIMIT %(rows)s"


class PurchasePosition(msgspec.Struct, frozen=True, array_like=True):
    """The last purchase of a page."""

    made_at: datetime
    event_id: UUID
    id: UUID


_POSITION: Final = msgspec.msgpack.Decoder(PurchasePosition)


def purchase_page(
    database: Database, query: str, make: Callable[[Any], Item], limit: int, cursor: str | None, **values: object
) -> tuple[list[Item], str | None]:
    """The rows of a query that ends with a condition, as ``make`` makes them, and the cursor of the next page.

    Refused: invalid-input for an invalid cursor.
    """
    place = {} if cursor is None else msgspec.structs.asdict(decode_cursor(cursor, _POSITION))
    text = f"{query} AND made_at BETWEEN %(first)s AND %(last)s {_AFTER if place else ''} {_ORDER}"
    rows = database.all(text, **values, **place, first=FIRST, last=LAST, rows=limit + 1)
    listed = rows[:limit]
    items = [found for row in listed if (found := shown("purchase", row, make))]
    if len(rows) <= limit:
        return items, None
    return items, encode_cursor(PurchasePosition(*(listed[-1][name] for name in PurchasePosition.__struct_fields__)))
