"""Opaque cursors of search pages; each is valid for one search only."""

import base64
import binascii
from hashlib import blake2b
from typing import Any, Final

import msgspec

from api.problems import wrong
from api.schemas.search import SearchQuery, Sort


class SearchCursor(msgspec.Struct, frozen=True, array_like=True):
    """A search, and the sort values of an event: its position and its id."""

    search: str
    after: tuple[float | int | str | None, str]


_decode: Final = msgspec.json.Decoder(SearchCursor).decode


def encode_cursor(asked: SearchQuery, after: list[Any]) -> str:
    """The cursor of the page after the event with these sort values."""
    cursor = SearchCursor(_fingerprint(asked), (after[0], after[1]))
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def after(asked: SearchQuery) -> list[Any] | None:
    """The sort values of the cursor. Refused: invalid-input for one of another search."""
    if asked.cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(asked.cursor + "=" * (-len(asked.cursor) % 4))
        cursor = _decode(raw)
    except (binascii.Error, ValueError) as error:
        raise wrong("?cursor", "is not a cursor of this search") from error
    place = cursor.after[0]
    is_time = asked.order in (Sort.DATE, Sort.LATEST)
    if cursor.search != _fingerprint(asked) or isinstance(place, str) or (is_time and not isinstance(place, int)):
        raise wrong("?cursor", "is not a cursor of this search")
    return list(cursor.after)


def _fingerprint(asked: SearchQuery) -> str:
    """A hash of everything about the search except the size of the page."""
    told = asked.model_dump_json(exclude={"limit", "cursor"})
    return blake2b(told.encode(), digest_size=9).hexdigest()
