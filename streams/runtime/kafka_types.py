"""A record as the agents get it, and the types of Faust and aiokafka that the capabilities handle."""

from collections.abc import Sequence

from aiokafka.errors import KafkaError
from faust.types import TP
from msgspec import Struct

from connect.records.fetching import FetchedRecord as LogRecord
from connect.records.fetching import SkippedOffsets

__all__ = ["TP", "KafkaError", "LogRecord", "Message", "SkippedOffsets"]


class Message(Struct, eq=False, weakref=True):
    """What the agents use of a record, and Faust of its own Message, which takes five times as long to make.

    ``timestamp`` is in seconds since 1970, ``generation_id`` that of the assignment in which the record was read.
    ``decoded`` is what an agent has read from the value, for the other agents of the topic.
    """

    topic: str
    partition: int
    offset: int
    timestamp: float
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None
    tp: TP
    generation_id: int
    acked: bool = False
    refcount: int = 0
    decoded: object = None
