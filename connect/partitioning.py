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
    return key_and_home(event.int, partitions)[1]


@lru_cache(maxsize=65_536)
def key_and_home(event_number: int, partitions: int) -> tuple[bytes, int]:
    """The key of an event's commands, and the partition that decides them, by the number of the event's id."""
    key = id_bytes(UUID(int=event_number))
    return key, partition_of(key, partitions)
