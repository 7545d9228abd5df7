"""Records as agents get and append them, and the types of Faust and aiokafka that the capabilities handle."""

from collections.abc import Sequence

from aiokafka.errors import KafkaError
from faust.types import TP
from msgspec import Struct

__all__ = ["TP", "Headers", "KafkaError", "Message", "Record"]

Headers = Sequence[tuple[str, bytes | None]]


class Message(Struct, eq=False, weakref=True):
    """What the agents use of a record, and Faust of its own Message, which takes five times as long to make.

    ``timestamp`` is in seconds since 1970, ``generation_id`` that of the assignment in which the record was read,
    ``size_bytes`` that of key, value and headers.
    ``decoded`` is what an agent has read from the value, for the other agents of the topic.
    """

    topic: str
    partition: int
    offset: int
    timestamp: float
    headers: Headers
    key: bytes | None
    value: bytes | None
    tp: TP
    generation_id: int
    size_bytes: int = 0
    acked: bool = False
    refcount: int = 0
    decoded: object = None


class Record(Struct, frozen=True):
    """A record to append: the bytes as they go to the topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
