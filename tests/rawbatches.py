"""Record batches as bytes: valid ones, and ones that no client library would make."""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

CRC_AT, ATTRIBUTES_AT, DELTA_AT, RECORDS_AT, HEADER_BYTES = 17, 21, 23, 57, 61
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TRANSACTIONAL, CONTROL = 0x10, 0x20
ABORT, COMMIT = 0, 1

Fields = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


def batch(base: int, *values: bytes, headers: Sequence[tuple[str, bytes]] = (), codec: str = "none") -> bytes:
    """A batch of records with these values and headers from the offset ``base`` on."""
    return packed(base, [(b"key", value, headers) for value in values], codec=codec)


def packed(base: int, fields: Sequence[Fields], *, codec: str = "none", producer: int = -1, flags: int = 0) -> bytes:
    """A batch of any records."""
    transactional = int(bool(flags & TRANSACTIONAL))
    builder: Any = DefaultRecordBatchBuilder(2, CODECS[codec], transactional, producer, 0, 0, 1 << 30)
    for number, (key, value, headers) in enumerate(fields):
        builder.append(number, 1_000 + number, key, value, list(headers))
    return at(base, sealed(bytes(builder.build()), flags))


def marker(base: int, kind: int, producer: int) -> bytes:
    """The control batch that ends a transaction."""
    key = struct.pack(">hh", 0, kind)
    return packed(base, [(key, struct.pack(">hi", 0, 0), ())], producer=producer, flags=TRANSACTIONAL | CONTROL)


def at(base: int, raw: bytes) -> bytes:
    """The batch at another offset, which a broker may give it: the checksum does not cover it."""
    return struct.pack(">q", base) + raw[8:]


def sealed(raw: bytes, flags: int = 0, **changed: int) -> bytes:
    """The batch with some header fields changed and a valid checksum."""
    batch = bytearray(raw)
    [attributes] = struct.unpack_from(">h", batch, ATTRIBUTES_AT)
    struct.pack_into(">h", batch, ATTRIBUTES_AT, attributes & ~0x07 | changed.get("codec", attributes & 0x07) | flags)
    if "delta" in changed:
        struct.pack_into(">i", batch, DELTA_AT, changed["delta"])
    if "count" in changed:
        struct.pack_into(">i", batch, RECORDS_AT, changed["count"])
    struct.pack_into(">i", batch, 8, len(batch) - 12)
    struct.pack_into(">I", batch, CRC_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))
    return bytes(batch)


def append(servers: str, topic: str, partition: int, raw: bytes) -> int:
    """Append a batch of exactly these bytes; its offset."""
    return asyncio.run(_append(servers, topic, partition, raw))


async def _append(servers: str, topic: str, partition: int, raw: bytes) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_request_size=len(raw) + HEADER_BYTES)
    await producer.start()
    try:
        builder: Any = producer.create_batch()
        builder.append(timestamp=None, key=None, value=None)
        builder.close()
        builder._buffer = bytearray(raw)
        stored = await (await producer.send_batch(builder, topic, partition=partition))
        return int(stored.offset)
    finally:
        await producer.stop()
