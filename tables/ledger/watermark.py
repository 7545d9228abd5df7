"""How far a partition of ``ticket-commands`` has been decided: the offset of its last command, and a hash of it.

The ledger's table keeps one such record a partition, under a key that no event has. It tells a log that was rewritten
from the one that was decided.
"""

from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

KEY: Final = bytes(16) + b"w"
DIGEST_BYTES: Final = 16


class Watermark(Struct, frozen=True, array_like=True):
    """The last command that was decided: its offset, and what ``digest_of`` gives for it."""

    offset: int
    digest: bytes


encode_watermark = msgspec.msgpack.Encoder().encode
decode_watermark = msgspec.msgpack.Decoder(Watermark).decode


def digest_of(key: bytes | None, value: bytes | None, at: int) -> bytes:
    """A hash of a record: its key, its value, and the broker's time of it (ms)."""
    key, value = key or b"", value or b""
    lengths = b"%d %d %d " % (at, len(key), len(value))
    return blake2b(lengths + key + value, digest_size=DIGEST_BYTES).digest()
