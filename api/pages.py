"""Pages of lists: newest first, continued behind the last item seen.

The order is that of creation, which nothing changes, so rows that come or change meanwhile move nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec
from pydantic import Field

from api.bodies.fields import Parameters
from api.cursors import decode_cursor, encode_cursor


class PageQuery(Parameters):
    """How many items, and after which."""

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=100, description="the `next` of the page before")


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The last item of a page."""

    created_at: datetime
    id: UUID


class Listed(Protocol):
    """What can stand in a list."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


Item = TypeVar("Item", bound=Listed)


def page(query: PageQuery, read: Callable[[int, Place | None], list[Item]]) -> tuple[list[Item], str | None]:
    """The items, and the cursor of the next page; None on the last. Refused: invalid-input."""
    found = read(query.limit + 1, None if query.cursor is None else decode_cursor(query.cursor, Place))
    items = found[: query.limit]
    more = len(found) > query.limit
    return items, encode_cursor(Place(items[-1].created_at, items[-1].id)) if more else None
