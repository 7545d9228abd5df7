"""Which partition a key belongs to: Kafka's default (murmur2), as Java, aiokafka and kafka-python do it."""

from functools import lru_cache
from uuid import UUID

from aiokafka.partitioner import murmur2

from tables.ids import id_bytes


# Cached, since murmur2 in Python is most of a send.
@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` on a topic with so many partitions."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def home_of(event: UUID, partitions: int) -> int:
    """The partition that decides an event."""
    return partition_of(id_bytes(event), partitions)
