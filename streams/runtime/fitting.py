"""Records cut to fit their topic: Kafka refuses a batch that is larger than the topic's ``max.message.bytes``."""

import hashlib
from typing import Final

from streams.runtime.kafka_types import Headers, Record
from tables.messages.dead_letters import Cut, RecordPart

# The header of a produced batch, and a record's own figures, at most (61 + 21 bytes, and three lengths of 5).
RECORD_OVERHEAD_BYTES: Final = 97
# The lengths of a header's name and value.
HEADER_OVERHEAD_BYTES: Final = 10


def size_of(record: Record) -> int:
    """How many bytes a batch with this record alone has at most, without compression."""
    content = len(record.key or b"") + len(record.value or b"")
    return RECORD_OVERHEAD_BYTES + content + _size_of_headers(record.headers)


def fit(record: Record, room: int) -> tuple[Record, tuple[Cut, ...]]:
    """The record in at most ``room`` bytes of ``size_of``, and what was cut of it.

    Each of key, headers and value has a third of the room; what one doesn't need is for the larger ones.
    """
    if size_of(record) <= room:
        return record, ()
    needs = {
        RecordPart.KEY: len(record.key or b""),
        RecordPart.HEADERS: _size_of_headers(record.headers),
        RecordPart.VALUE: len(record.value or b""),
    }
    left = max(0, room - RECORD_OVERHEAD_BYTES)
    shares: dict[RecordPart, int] = {}
    for part in sorted(needs, key=lambda part: needs[part]):
        shares[part] = min(needs[part], left // (len(needs) - len(shares)))
        left -= shares[part]
    fitted = Record(
        record.key and record.key[: shares[RecordPart.KEY]],
        record.value and record.value[: shares[RecordPart.VALUE]],
        _headers_within(record.headers, shares[RecordPart.HEADERS]),
    )
    return fitted, tuple(_cut(part, record) for part in needs if shares[part] < needs[part])


def _size_of_headers(headers: Headers) -> int:
    return sum(HEADER_OVERHEAD_BYTES + len(name.encode()) + len(value or b"") for name, value in headers)


def _headers_within(headers: Headers, room: int) -> Headers:
    """The first headers as far as they fit; the value of the last one may be cut."""
    if _size_of_headers(headers) <= room:
        return headers
    kept = []
    for name, value in headers:
        room -= HEADER_OVERHEAD_BYTES + len(name.encode())
        if room < 0:
            break
        kept.append((name, value and value[:room]))
        room -= len(value or b"")
    return kept


def _cut(part: RecordPart, record: Record) -> Cut:
    content = {
        RecordPart.KEY: lambda: record.key or b"",
        RecordPart.VALUE: lambda: record.value or b"",
        RecordPart.HEADERS: lambda: b"".join(name.encode() + (value or b"") for name, value in record.headers),
    }[part]()
    return Cut(part, len(content), hashlib.sha256(content).hexdigest())
