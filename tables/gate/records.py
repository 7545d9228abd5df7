"""The keys and records of the table ``gate``: msgpack arrays that begin with the offset of a request.

Requests have places in rings of RING_REQUESTS, so that the table is bounded. A record counts only for the request of
its offset and time: not for an older one of the same place, nor for that of another topic of the same name.
"""

from typing import Final

import msgspec
from msgspec import Struct

from tables.messages.request_origins import RequestOrigin

# Far more than a worker handles between two commits of its offsets.
RING_REQUESTS: Final = 65_536


class RequestRecord(Struct, frozen=True, array_like=True):
    """A request that was checked, or that was answered. ``answer`` is empty if it was let through."""

    offset: int
    at_ms: int
    answer: bytes = b""

    def is_of(self, origin: RequestOrigin) -> bool:
        """Whether it is the record of that request."""
        return (self.offset, self.at_ms) == (origin.offset, origin.at_ms)


class QuotaRecord(Struct, frozen=True, array_like=True):
    """How far a quota is used up, as of the request at ``offset``."""

    offset: int
    full_at_us: int


encode_record: Final = msgspec.msgpack.Encoder().encode
decode_request_record: Final = msgspec.msgpack.Decoder(RequestRecord).decode
decode_quota: Final = msgspec.msgpack.Decoder(QuotaRecord).decode


def checked_key(origin: RequestOrigin) -> bytes:
    """The key of a request's check, on the partition of the request."""
    return f"c{origin.topic}/{origin.offset % RING_REQUESTS}".encode()


def answered_key(origin: RequestOrigin) -> bytes:
    """The key of a request's answered outcome, on the partition of the outcome."""
    return f"a{origin.topic}/{origin.partition}/{origin.offset % RING_REQUESTS}".encode()


def quota_key(topic: str) -> bytes:
    """The key of the quota of a producer's topic."""
    return f"q{topic}".encode()
