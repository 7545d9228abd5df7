"""How far a partition of ``ticket-commands`` has been decided: the offset and the hash of the last decided command.

The ledger's table has one such record per partition, under a key that no event has. It reveals whether the log was
rewritten since.
"""

from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

WATERMARK_KEY: Final = bytes(16) + b"w"
DIGEST_BYTES: Final = 16


class Watermark(Struct, frozen=True, array_like=True):
    """The last decided command: its offset and its ``digest_of``."""

    offset: int
    digest: bytes


encode_watermark = msgspec.msgpack.Encoder().encode
decode_watermark = msgspec.msgpack.Decoder(Watermark).decode


def digest_of(key: bytes | None, value: bytes | None, at: int) -> bytes:
    """A hash of a record's key, value and broker timestamp (ms)."""
    key, value = key or b"", value or b""
    lengths = b"%d %d %d " % (at, len(key), len(value))
    return blake2b(lengths + key + value, digest_size=DIGEST_BYTES).digest()
