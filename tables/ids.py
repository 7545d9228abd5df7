"""Ids: name-based ones as uuid.uuid5 makes them, their text as by str(), at a fraction of the cost; codes of tickets.

A ticket's code is a keyed hash, so it is unique, can't be guessed, and is the same at every replay.
"""

from hashlib import blake2b, sha1
from typing import Final, Self, cast
from uuid import UUID

from msgspec import convert, to_builtins
from msgspec.json import Encoder

UUID_BYTES: Final = 16
TICKET_KEY_MIN_BYTES: Final = 32
# One hash gives the codes of five tickets.
CODES_PER_HASH: Final = 5
_CODE_BYTES: Final = 12
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


class TicketCodes:
    """Makes the codes of purchases: 24 hexadecimal digits (96 bits) each. ``key`` is secret, 32 to 64 bytes."""

    def __init__(self, key: bytes) -> None:
        if not TICKET_KEY_MIN_BYTES <= len(key) <= blake2b.MAX_KEY_SIZE:
            raise ValueError(f"the ticket key has {len(key)} bytes; it must have 32 to 64")
        self._start = blake2b(key=key, digest_size=CODES_PER_HASH * _CODE_BYTES)

    @classmethod
    def of_secret(cls, secret: str) -> Self:
        """The codes of a secret of at least 32 bytes; its first 64 are the key."""
        return cls(secret.encode()[: blake2b.MAX_KEY_SIZE])

    def code(self, event: UUID, purchase: UUID, position: int) -> str:
        """The code of one ticket."""
        return self.codes(event, purchase, position, 1)[0]

    def codes(self, event: UUID, purchase: UUID, first: int, count: int) -> tuple[str, ...]:
        """The codes of a purchase's tickets from position ``first`` on."""
        ids = event.bytes + purchase.bytes
        number, skipped = first // CODES_PER_HASH, first % CODES_PER_HASH
        codes = self._block(ids, number)
        for further in range(number + 1, (first + count - 1) // CODES_PER_HASH + 1):
            codes += self._block(ids, further)
        return tuple(codes[skipped : skipped + count])

    def _block(self, ids: bytes, number: int) -> list[str]:
        """The codes of one hash."""
        block = self._start.copy()
        block.update(ids + number.to_bytes(4, "big"))
        return block.digest().hex(" ", _CODE_BYTES).split()
