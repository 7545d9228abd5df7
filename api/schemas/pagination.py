"""Keyset pagination, newest first: a cursor has the position of the last item.

The order is that of creation, which never changes, so rows that come or change meanwhile move no other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec
from pydantic import Field

from api.schemas.base import Parameters
from api.schemas.cursors import decode_cursor, encode_cursor


class PageQuery(Parameters):
    """The size of a page, and where it begins."""

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=100, description="the `next` of the page before")


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The last item of a page."""

    created_at: datetime
    id: UUID


class Listed(Protocol):
    """An item of a list."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


class InvalidRow(NamedTuple):
    """The position of a row that can't be shown, and is left out of its page."""

    created_at: datetime
    id: UUID


Item = TypeVar("Item", bound=Listed)
Read = Callable[[int, Place | None], Sequence[Item | InvalidRow]]


def page(query: PageQuery, read: Read[Item]) -> tuple[list[Item], str | None]:
    """The items, and the cursor of the next page; None on the last. Refused: invalid-input."""
    found = read(query.limit + 1, None if query.cursor is None else decode_cursor(query.cursor, Place))
    listed = found[: query.limit]
    more = len(found) > query.limit
    items = [item for item in listed if not isinstance(item, InvalidRow)]
    return items, encode_cursor(Place(listed[-1].created_at, listed[-1].id)) if more else None
