"""The keys and records of the table ``gate``: msgpack arrays that begin with an offset.

Requests have places in rings of RING_REQUESTS, so that the table is bounded. A record counts only for the request of
its offset and time: not for an older one of the same place, nor for that of another topic of the same name.
"""

from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct

from tables.messages.request_origins import RequestOrigin

# Far more than a worker handles between two commits of its offsets.
RING_REQUESTS: Final = 65_536
PAGE_REQUESTS: Final = 64
QUOTA_MARK: Final = b"q"


class RequestRecord(Struct, frozen=True, array_like=True):
    """A request that was refused, with its answer.

    An earlier version also recorded what it let through, and each answered request, with an empty answer.
    """

    offset: int
    at_ms: int
    answer: bytes = b""

    def is_of(self, origin: RequestOrigin) -> bool:
        return (self.offset, self.at_ms) == (origin.offset, origin.at_ms)


class QuotaRecord(Struct, frozen=True, array_like=True):
    """How far the requests of a topic were checked, and how far the quota is used up then.

    ``at_ms`` is the latest time of a checked request; -1 in a record of an earlier version.
    """

    offset: int
    full_at_us: int
    at_ms: int = -1

    def covers(self, origin: RequestOrigin) -> bool:
        """Whether that request was checked; one without a record of its own was let through."""
        return origin.offset <= self.offset and origin.at_ms <= self.at_ms


class AnsweredPage(Struct, frozen=True, array_like=True):
    """Which of PAGE_REQUESTS requests were answered by outcomes: the time (ms) of each, None where it was not.

    ``offset`` is that of the last outcome, so that a later page is the complete one.
    """

    offset: int
    times: list[int | None]


encode_record: Final = msgspec.msgpack.Encoder().encode
decode_request_record: Final = msgspec.msgpack.Decoder(RequestRecord).decode
decode_quota: Final = msgspec.msgpack.Decoder(QuotaRecord).decode
decode_page: Final = msgspec.msgpack.Decoder(AnsweredPage).decode


def checked_key(origin: RequestOrigin) -> bytes:
    """The key of a refused request, on the partition of the request."""
    return f"c{origin.topic}/{origin.offset % RING_REQUESTS}".encode()


def page_key(origin: RequestOrigin) -> bytes:
    """The key of the page of a request's answered outcome, on the partition of the outcome."""
    return _page_key(origin.topic, origin.partition, origin.offset % RING_REQUESTS // PAGE_REQUESTS)


@lru_cache(maxsize=4_096)
def _page_key(topic: str, partition: int, page: int) -> bytes:
    return f"p{topic}/{partition}/{page}".encode()


def quota_key(topic: str) -> bytes:
    """The key of the quota of a producer's topic."""
    return QUOTA_MARK + topic.encode()
