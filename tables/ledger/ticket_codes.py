"""Ticket codes: a keyed hash, so they are unique, can't be guessed, and are the same at every replay."""

from hashlib import blake2b
from typing import Final, Self
from uuid import UUID

KEY_MIN_BYTES: Final = 32
CODE_DIGITS: Final = 24
# One hash gives the codes of five tickets.
CODES_PER_HASH: Final = 5
_CODE_BYTES: Final = CODE_DIGITS // 2


class TicketCodes:
    """Makes the codes of purchases: 24 hexadecimal digits (96 bits) each. ``key`` is secret, 32 to 64 bytes."""

    def __init__(self, key: bytes) -> None:
        if not KEY_MIN_BYTES <= len(key) <= blake2b.MAX_KEY_SIZE:
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
