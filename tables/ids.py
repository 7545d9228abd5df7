"""Ids: name-based ones as uuid.uuid5 makes them, and their text as by str(), at a fraction of the cost."""

from hashlib import sha1
from typing import Final, cast
from uuid import UUID

from msgspec import convert, to_builtins
from msgspec.json import Encoder

UUID_BYTES: Final = 16
_encoder: Final = Encoder()


def name_based_id(space: UUID, name: str) -> UUID:
    """The version 5 UUID (RFC 9562) of a name in the namespace ``space``."""
    digest = bytearray(sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:UUID_BYTES])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return convert(digest, UUID)


def id_bytes(id_: UUID) -> bytes:
    """``str(id_)`` as bytes: the key of a record about it."""
    return _encoder.encode(id_)[1:-1]


def text_of(id_: UUID) -> str:
    """``str(id_)``, such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8."""
    return cast("str", to_builtins(id_))
