"""Opaque cursors of pages: the position of the last item, encoded."""

import base64
import binascii
from typing import TypeVar

import msgspec

from api.problems import wrong

Place = TypeVar("Place", bound=msgspec.Struct)


def encode_cursor(place: msgspec.Struct) -> str:
    """The cursor of the page after that position."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type[Place]) -> Place:
    """The position of a cursor. Refused: invalid-input."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=kind)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise wrong("?cursor", "must be the `next` of a page of this list") from error
