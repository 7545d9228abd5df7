"""Record batches of Kafka's format 2, byte by byte, with contents that client libraries refuse to write."""

import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Self

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

CODECS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "none": bytes,
    "gzip": gzip_encode,
    "snappy": snappy_encode,
    "lz4": lz4_encode,
    "zstd": zstd_encode,
}
ACKS_ALL: Final = -1
PRODUCE_TIMEOUT_MS: Final = 20_000
# Leader epoch, magic and checksum, between a batch's length and the content that the checksum covers.
BEFORE_CONTENT_BYTES: Final = 9
FORMAT: Final = 2
# Attributes of a batch, beside the number of its codec.
TRANSACTIONAL, CONTROL = 0x10, 0x20


class RawRecord(NamedTuple):
    """A record as it is on the wire: headers' names are bytes, a name may repeat, a value may be null."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


def record_batch(records: Sequence[RawRecord], *, at_ms: int, codec: str = "none", flags: int = 0) -> bytes:
    """The bytes of a batch with these records, all of the same time (ms since 1970), compressed with one of CODECS.

    ``flags`` are further attributes.
    """
    body = b"".join(_record(number, record) for number, record in enumerate(records))
    attributes, last = list(CODECS).index(codec) | flags, len(records) - 1
    no_producer = (-1, -1, -1)
    content = struct.pack(">hiqqqhii", attributes, last, at_ms, at_ms, *no_producer, len(records))
    content += CODECS[codec](body)
    return struct.pack(">qiibI", 0, len(content) + BEFORE_CONTENT_BYTES, -1, FORMAT, calc_crc32c(content)) + content


class BatchAppender:
    """Appends batches to some topics of the brokers at ``servers``."""

    def __init__(self, servers: str, topics: Sequence[str]) -> None:
        self._client = AIOKafkaClient(bootstrap_servers=servers)
        self._topics = topics

    async def append(self, topic: str, partition: int, batch: bytes) -> int:
        """Append a batch, acknowledged by all replicas; the offset of its first record. Raises KafkaError."""
        leader = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(None, ACKS_ALL, PRODUCE_TIMEOUT_MS, [(topic, [(partition, batch)])])
        answer = await self._client.send(leader, request)
        [(_, [(_, code, offset, *_)])] = answer.topics
        if (error := for_code(code)) is not NoError:
            raise error(f"{topic}[{partition}]")
        return int(offset)

    async def __aenter__(self) -> Self:
        await self._client.bootstrap()
        await self._client.set_topics(self._topics)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


def _record(number: int, record: RawRecord) -> bytes:
    parts = [b"\0", _varint(0), _varint(number), _sized(record.key), _sized(record.value), _varint(len(record.headers))]
    for name, value in record.headers:
        parts += [_sized(name), _sized(value)]
    return _sized(b"".join(parts))


def _sized(value: bytes | None) -> bytes:
    return _varint(-1) if value is None else _varint(len(value)) + value


def _varint(number: int) -> bytes:
    """A number as Kafka writes it: zigzag, then seven bits a byte, the lowest first."""
    left = number << 1 if number >= 0 else (-number << 1) - 1
    digits = bytearray()
    while left > 0x7F:
        digits.append(left & 0x7F | 0x80)
        left >>= 7
    digits.append(left)
    return bytes(digits)
