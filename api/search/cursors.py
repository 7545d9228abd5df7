"""Where the next page begins, as an opaque word that belongs to one search."""

import base64
import binascii
from hashlib import blake2b
from typing import Any

import msgspec

from api.problems import wrong
from api.schemas.search import SearchQuery, Sort


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Which search, and after which event: its place in the order and its id."""

    search: str
    after: tuple[float | int | str | None, str]


def encode_cursor(asked: SearchQuery, after: list[Any]) -> str:
    """The cursor of the page after the event with these sort values."""
    cursor = Cursor(_mark(asked), (after[0], after[1]))
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def after(asked: SearchQuery) -> list[Any] | None:
    """The sort values that the cursor holds. Refused: invalid-input for one of another search."""
    if asked.cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(asked.cursor + "=" * (-len(asked.cursor) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError) as error:
        raise wrong("?cursor", "is no cursor of this search") from error
    place = cursor.after[0]
    is_time = asked.order in (Sort.DATE, Sort.LATEST)
    if cursor.search != _mark(asked) or isinstance(place, str) or (is_time and not isinstance(place, int)):
        raise wrong("?cursor", "is no cursor of this search")
    return list(cursor.after)


def _mark(asked: SearchQuery) -> str:
    """What tells this search from others; the page's size is no part of it."""
    told = asked.model_dump_json(exclude={"limit", "cursor"})
    return blake2b(told.encode(), digest_size=9).hexdigest()
