"""What the workers' web views show of the gate. In JSON the fields have camelCase names."""

from msgspec import Struct

from tables.gate.quota import MILLISECOND_US
from tables.gate.records import QUOTA_MARK, decode_quota


class QuotaView(Struct, frozen=True, rename="camel"):
    """How far the requests on a partition of a producer's topic were checked; times are in ms.

    ``offset`` is the last checked request, ``at`` the latest time of one (-1: not known), and ``fullAt`` when the whole
    quota is free again.
    """

    topic: str
    partition: int
    offset: int
    at: int
    full_at: int


def quota_view(partition: int, key: bytes, value: bytes) -> QuotaView:
    """The quota under a key of a partition."""
    known = decode_quota(value)
    topic = key.removeprefix(QUOTA_MARK).decode()
    return QuotaView(topic, partition, known.offset, known.at_ms, known.full_at_us // MILLISECOND_US)
