"""Ticket codes: unique, not to be guessed, and the same at every replay, since they are a keyed hash."""

from hashlib import blake2b
from typing import Final
from uuid import UUID

SHORTEST_KEY: Final = 32
LENGTH: Final = 24
# One hash makes the codes of five tickets.
PER_HASH: Final = 5
_DIGEST_BYTES: Final = PER_HASH * LENGTH // 2


class TicketCodes:
    """Makes the codes of purchases: 24 hexadecimal digits (96 bits) each. ``key`` is secret, 32 to 64 bytes."""

    def __init__(self, key: bytes) -> None:
        if not SHORTEST_KEY <= len(key) <= blake2b.MAX_KEY_SIZE:
            raise ValueError(f"the ticket key has {len(key)} bytes; it must have 32 to 64")
        self._start = blake2b(key=key, digest_size=_DIGEST_BYTES)

    def code(self, event: UUID, purchase: UUID, position: int) -> str:
        """The code of one ticket."""
        return self.codes(event, purchase, position, 1)[0]

    def codes(self, event: UUID, purchase: UUID, first: int, count: int) -> tuple[str, ...]:
        """The codes of a purchase's tickets from position ``first`` on."""
        start = self._start.copy()
        start.update(event.bytes + purchase.bytes)
        skipped = first % PER_HASH
        digits = "".join(
            [_block(start, number) for number in range(first // PER_HASH, (first + count - 1) // PER_HASH + 1)]
        )
        places = range(skipped * LENGTH, (skipped + count) * LENGTH, LENGTH)
        return tuple([digits[place : place + LENGTH] for place in places])


def _block(start: "blake2b", number: int) -> str:
    block = start.copy()
    block.update(number.to_bytes(4, "big"))
    return block.hexdigest()
