"""A lenient decoder of record batches (message format 2) in the bytes of a fetch.

The clients' own decoders are fast, but one bad byte makes them fail for the whole fetch. This one isolates the
undecodable batch, and within it the record.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from connect.records.codecs import unpack

# Base offset, length of what follows; then leader epoch, format, checksum, attributes, last offset delta, first and
# last time, producer id and epoch, base sequence, number of records.
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_LENGTH: Final = struct.Struct(">qi")
_ATTRIBUTES: Final = struct.Struct(">h")
_ATTRIBUTES_AT: Final = 21
_CODEC: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_FORMAT: Final = 2
_VARINT_MAX_BITS: Final = 63


class BrokenRecord(ValueError):
    """A record whose fields contradict each other."""


class RecordBatch(NamedTuple):
    """The fields of a batch's header, and all bytes of the batch in ``raw``."""

    raw: bytes
    base: int
    form: int
    attributes: int
    delta: int
    first_ms: int
    last_ms: int
    number: int

    @property
    def codec(self) -> int:
        """The compression codec, by Kafka's number."""
        return self.attributes & _CODEC

    @property
    def is_current(self) -> bool:
        """Whether it has message format 2, the only one that brokers accept since Kafka 4."""
        return self.form == _FORMAT

    @property
    def last(self) -> int:
        """The last offset of the batch, even if compaction has removed that record."""
        return self.base + (max(0, self.delta) if self.is_current else 0)

    @property
    def is_dense(self) -> bool:
        """Whether it has a record for each of its offsets: compaction has removed none."""
        return self.is_current and self.delta == self.number - 1

    def believed_last(self, following: "RecordBatch | None") -> int:
        """The last offset if the checksum is wrong, unless the header contradicts itself or the following batch."""
        if following is not None:
            return min(self.last, following.base - 1) if self.is_dense else following.base - 1
        return self.last if self.is_dense else self.base


class BatchRecord(NamedTuple):
    """A record, with the fields of the clients' records in their order."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    size: int
    checksum: None = None


class UnreadableOffsets(NamedTuple):
    """Offsets that can't be decoded, the error, and their bytes."""

    offset: int
    last: int
    error: Exception
    raw: bytes


def split_batches(fetched: bytes) -> Iterator[RecordBatch]:
    """The complete batches in ``fetched``, without a truncated one at the end."""
    begin = 0
    while begin + _LENGTH.size <= len(fetched):
        base, length = _LENGTH.unpack_from(fetched, begin)
        end = begin + _LENGTH.size + length
        if length < 0 or end > len(fetched):
            return
        yield parse_batch(fetched[begin:end], base)
        begin = end


def parse_batch(raw: bytes, base: int = 0) -> RecordBatch:
    """Parse a batch's header. A batch too short for a header counts as one record of an unknown format."""
    if len(raw) < _HEADER.size:
        return RecordBatch(raw, base, 0, 0, 0, 0, 0, 1)
    first, _, _, form, _, attributes, delta, first_ms, last_ms, _, _, _, number = _HEADER.unpack_from(raw)
    return RecordBatch(raw, first, form, attributes, delta, first_ms, last_ms, number)


def uncompressed(batch: RecordBatch) -> bytes:
    """The decompressed batch; its checksum remains that of the compressed one. Raises UnpackError."""
    header = bytearray(batch.raw[: _HEADER.size])
    _ATTRIBUTES.pack_into(header, _ATTRIBUTES_AT, batch.attributes & ~_CODEC)
    return bytes(header) + unpack(batch.codec, batch.raw[_HEADER.size :])


def decode_records(batch: RecordBatch) -> Iterator[BatchRecord | UnreadableOffsets]:
    r"""The records of an uncompressed batch, and the offsets that can't be decoded, of missing records without bytes.

    A header's name may be any bytes: those that are not UTF-8 are escaped, as in ``\xe9``.
    """
    raw, begin, due, found = batch.raw, _HEADER.size, batch.base, 0
    unread: UnreadableOffsets | None = None
    while begin < len(raw):
        found += 1
        end = len(raw)
        try:
            length, at = _varint(raw, begin)
            end = _checked(at + length, at + 1, len(raw))
            record = _record(batch, at, end)
            # Each record that follows needs an offset, too.
            _checked(record.offset, due, batch.last - max(0, batch.number - found))
        except (BrokenRecord, IndexError) as error:
            unread = unread or UnreadableOffsets(due, due, error, b"")
            unread = unread._replace(raw=raw[begin - len(unread.raw) : end])
            due += 1
        else:
            if unread is not None:
                yield unread._replace(last=record.offset - 1)
                unread = None
            yield record
            due = record.offset + 1
        begin = end
    if unread is None and found < batch.number:
        unread = UnreadableOffsets(due, due, BrokenRecord(f"{found} of {batch.number} records"), b"")
    # Bytes after the last offset belong to no record.
    if unread is not None and unread.offset <= batch.last:
        yield unread._replace(last=batch.last)


def _record(batch: RecordBatch, begin: int, end: int) -> BatchRecord:
    raw = batch.raw
    _, at = _varint(raw, begin)
    since, at = _varint(raw, at)
    delta, at = _varint(raw, at)
    key, at = _bytes(raw, at, end)
    value, at = _bytes(raw, at, end)
    count, at = _varint(raw, at)
    headers = []
    for _ in range(_checked(count, 0, end - at)):
        name, at = _bytes(raw, at, end)
        content, at = _bytes(raw, at, end)
        headers.append(((name or b"").decode(errors="backslashreplace"), content))
    _checked(at, end, end)
    appended = bool(batch.attributes & _LOG_APPEND_TIME)
    moment = batch.last_ms if appended else batch.first_ms + since
    return BatchRecord(batch.base + delta, moment, int(appended), key, value, headers, end - begin)


def _bytes(raw: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = _varint(raw, at)
    if length < 0:
        return None, at
    _checked(at + length, at, end)
    return raw[at : at + length], at + length


def _checked(value: int, minimum: int, maximum: int) -> int:
    if not minimum <= value <= maximum:
        raise BrokenRecord(f"{value} is not between {minimum} and {maximum}")
    return value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A zigzag-encoded number, and the position of the next field."""
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > _VARINT_MAX_BITS:
            raise BrokenRecord("a varint is too long")
