"""Keyset pagination, newest first: a cursor has the position of the last item.

The order is that of creation, which never changes, so rows that come or change meanwhile move no other.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec
from pydantic import Field

from api.problems import wrong
from api.schemas.base import Parameters


class PageQuery(Parameters):
    """The size of a page, and where it begins."""

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=100, description="the `next` of the page before")


class PagePosition(msgspec.Struct, frozen=True, array_like=True):
    """The last item of a page."""

    created_at: datetime
    id: UUID


_PAGE_POSITION: Final = msgspec.msgpack.Decoder(PagePosition)


class ListItem(Protocol):
    """An item of a list."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


class InvalidRow(NamedTuple):
    """The position of a row that can't be shown, and is left out of its page."""

    created_at: datetime
    id: UUID


Position = TypeVar("Position", bound=msgspec.Struct)
Item = TypeVar("Item", bound=ListItem)
Read = Callable[[int, PagePosition | None], Sequence[Item | InvalidRow]]


def page(query: PageQuery, read: Read[Item]) -> tuple[list[Item], str | None]:
    """The items, and the cursor of the next page; None on the last. Refused: invalid-input."""
    found = read(query.limit + 1, None if query.cursor is None else decode_cursor(query.cursor, _PAGE_POSITION))
    listed = found[: query.limit]
    more = len(found) > query.limit
    items = [item for item in listed if not isinstance(item, InvalidRow)]
    return items, encode_cursor(PagePosition(listed[-1].created_at, listed[-1].id)) if more else None


def encode_cursor(position: msgspec.Struct) -> str:
    """The cursor of the page after that position."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).decode().rstrip("=")


def decode_cursor(cursor: str, decoder: msgspec.msgpack.Decoder[Position]) -> Position:
    """The position of a cursor. Refused: invalid-input."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return decoder.decode(packed)
    except (ValueError, RecursionError) as error:
        raise wrong("?cursor", "must be the `next` of a page of this list") from error
