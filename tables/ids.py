"""Name-based ids: the same as uuid.uuid5 gives, at half its cost."""

from hashlib import sha1
from typing import Final
from uuid import UUID

from msgspec import convert

UUID_BYTES: Final = 16


def name_based_id(space: UUID, name: str) -> UUID:
    """The version 5 UUID (RFC 9562) of a name in the namespace ``space``."""
    digest = bytearray(sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:UUID_BYTES])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return convert(digest.hex(), UUID)
