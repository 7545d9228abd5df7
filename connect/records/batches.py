"""Batches of records in the bytes of a fetch (message format 2), and their records read leniently.

The clients' own readers are fast and give up on a whole fetch for one bad byte. What is here is for that case: it finds
the batch and, in it, the record.
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
    """A record whose fields don't fit into each other."""


class Batch(NamedTuple):
    """The header of a batch and all its bytes, the header's among them."""

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
        """Kafka's number of the codec."""
        return self.attributes & _CODEC

    @property
    def is_current(self) -> bool:
        """Whether it is of the message format that is read here. Brokers take no other since Kafka 4."""
        return self.form == _FORMAT

    @property
    def last(self) -> int:
        """The last offset of the batch, also where a compaction has taken it."""
        return self.base + (max(0, self.delta) if self.is_current else 0)

    def believed_last(self, following: "Batch | None") -> int:
        """The last offset if the checksum is wrong: no header is believed that contradicts itself or what follows."""
        consistent = self.is_current and self.delta == self.number - 1
        if following is not None:
            return min(self.last, following.base - 1) if consistent else following.base - 1
        return self.last if consistent else self.base


class Record(NamedTuple):
    """A record, with the names and order of the clients' own."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    size: int
    checksum: None = None


class Unread(NamedTuple):
    """Offsets that can't be read, why, and the bytes that lie there."""

    offset: int
    last: int
    error: Exception
    raw: bytes


def batches(fetched: bytes) -> Iterator[Batch]:
    """The whole batches in ``fetched``; a cut one at the end is left out."""
    begin = 0
    while begin + _LENGTH.size <= len(fetched):
        base, length = _LENGTH.unpack_from(fetched, begin)
        end = begin + _LENGTH.size + length
        if length < 0 or end > len(fetched):
            return
        yield batch_of(fetched[begin:end], base)
        begin = end


def batch_of(raw: bytes, base: int = 0) -> Batch:
    """The batch that ``raw`` is. One too short for a header is told as one record of no format."""
    if len(raw) < _HEADER.size:
        return Batch(raw, base, 0, 0, 0, 0, 0, 1)
    first, _, _, form, _, attributes, delta, first_ms, last_ms, _, _, _, number = _HEADER.unpack_from(raw)
    return Batch(raw, first, form, attributes, delta, first_ms, last_ms, number)


def plain(batch: Batch) -> bytes:
    """The batch without compression. Its checksum is still that of the compressed one. Raises Unpackable."""
    header = bytearray(batch.raw[: _HEADER.size])
    _ATTRIBUTES.pack_into(header, _ATTRIBUTES_AT, batch.attributes & ~_CODEC)
    return bytes(header) + unpack(batch.codec, batch.raw[_HEADER.size :])


def records(batch: Batch) -> Iterator[Record | Unread]:
    r"""Each record of a batch without compression; what can't be read stands for the offsets up to the next that can.

    The name of a header may be any bytes: what is not UTF-8 in it is written as ``\xe9``.
    """
    raw, begin, due = batch.raw, _HEADER.size, batch.base
    unread: Unread | None = None
    while begin < len(raw):
        end = len(raw)
        try:
            length, at = _varint(raw, begin)
            end = _checked(at + length, at + 1, len(raw))
            record = _record(batch, at, end)
            _checked(record.offset, due, batch.last)
        except (BrokenRecord, IndexError) as error:
            unread = unread or Unread(due, due, error, b"")
            unread = unread._replace(raw=raw[begin - len(unread.raw) : end])
            due += 1
        else:
            if unread is not None:
                yield unread._replace(last=record.offset - 1)
                unread = None
            yield record
            due = record.offset + 1
        begin = end
    # Bytes behind the last offset are nobody's record.
    if unread is not None and unread.offset <= batch.last:
        yield unread._replace(last=batch.last)


def _record(batch: Batch, begin: int, end: int) -> Record:
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
    return Record(batch.base + delta, moment, int(appended), key, value, headers, end - begin)


def _bytes(raw: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = _varint(raw, at)
    if length < 0:
        return None, at
    _checked(at + length, at, end)
    return raw[at : at + length], at + length


def _checked(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise BrokenRecord(f"{value} where {least} to {most} can be")
    return value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number in zigzag, and where the next field begins."""
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > _VARINT_MAX_BITS:
            raise BrokenRecord("a number without an end")
