"""kafka-python's consumer as we use it: it reads committed records only, and continues after undecodable ones.

kafka-python itself fails at an undecodable record and fetches it again forever. Here that record, or its batch if the
record can't be isolated, is skipped, logged once and counted. These consumers commit no offsets. For aiokafka,
``connect/records/fetching.py`` does the same.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import KafkaTimeoutError
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from connect.client_options import ClientOptions
from connect.records.batches import (
    BrokenRecord,
    RecordBatch,
    UnreadableOffsets,
    decode_records,
    parse_batch,
    split_batches,
    uncompressed,
)
from connect.records.codecs import UNPACKED_MAX_BYTES, UnpackError, unpack
from connect.records.unread import count_unreadable

# kafka-python's default of 30 s is too long for interactive commands.
CONNECT_TIMEOUT_MS: Final = 5_000
POLL_MS: Final = 500
READ_TIMEOUT_S: Final = 30.0


def make_consumer(kafka: ClientOptions, **options: Any) -> Any:
    """A KafkaConsumer that commits no offsets, with further options. Raises KafkaError if no broker answers."""
    options = {"bootstrap_timeout_ms": CONNECT_TIMEOUT_MS} | options
    consumer = KafkaConsumer(**kafka, enable_auto_commit=False, isolation_level="read_committed", **options)
    consumer._fetcher.PartitionRecords = LenientPartitionRecords
    return consumer


def read_to(
    consumer: Any,
    ends: Mapping[TopicPartition, int],
    poll_max_records: int | None = None,
    timeout_s: float = READ_TIMEOUT_S,
) -> Iterator[list[Any]]:
    """The records of the assigned partitions up to their ``ends``, or some more, in batches of one partition.

    Raises KafkaTimeoutError if nothing arrives for ``timeout_s``.
    """
    known: dict[TopicPartition, int] = {}
    moved_s = time.monotonic()
    while True:
        at = {place: consumer.position(place) for place in ends}
        if all(at[place] >= end for place, end in ends.items()):
            return
        if at != known:
            known, moved_s = at, time.monotonic()
        elif time.monotonic() - moved_s > timeout_s:
            topics = ", ".join(sorted({place.topic for place in ends}))
            raise KafkaTimeoutError(f"nothing more of {topics} within {timeout_s:g} s")
        yield from consumer.poll(timeout_ms=POLL_MS, max_records=poll_max_records).values()


def read_topic(kafka: ClientOptions, topic: str, partition: int | None = None, start: int = 0) -> Iterator[Any]:
    """The records of a topic, or of one partition of it from an offset on, up to its present end. Raises KafkaError."""
    with closing(make_consumer(kafka)) as consumer:
        numbers = [partition] if partition is not None else sorted(consumer.partitions_for_topic(topic) or ())
        partitions = [TopicPartition(topic, number) for number in numbers]
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for each in partitions:
            consumer.seek(each, max(start, begins[each]))
        for batch in read_to(consumer, ends):
            yield from batch


class LenientPartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc,unused-ignore]
    """The decodable records of one partition's fetch."""

    def _unpack_records(self, tp: Any, found: Any, *deserializers: Any) -> Iterator[Any]:
        readable = _Batches(tp, bytes(found._buffer), self.fetch_offset)
        return super()._unpack_records(tp, readable, *deserializers)  # type: ignore[no-any-return,unused-ignore]


class _Batches:
    """The batches of a fetch, as an iterator for kafka-python.

    It ends after a batch with a wrong checksum, whose transaction flags can't be trusted, and after
    ``UNPACKED_MAX_BYTES``: the rest is fetched again.
    """

    def __init__(self, tp: Any, fetched: bytes, begin: int) -> None:
        self._tp = tp
        self._begin = begin
        self._walk = split_batches(fetched)
        self._last: _Readable | None = None
        self._unpacked = 0

    def next_batch(self) -> "DefaultRecordBatch | None":
        self._unpacked += len(self._last._buffer) if self._last is not None else 0
        batch = next(self._walk, None) if self._unpacked < UNPACKED_MAX_BYTES else None
        if batch is None:
            return None
        self._last = _Readable(self._tp, batch, self._begin)
        if not self._last.is_whole():
            until = max(self._begin, batch.believed_last(next(self._walk, None)))
            self._walk = iter(())
            return _Corrupt(self._tp, batch, self._begin, until)
        return self._last


class _Readable(DefaultRecordBatch):  # type: ignore[misc,unused-ignore]
    """A batch that returns its decodable records and skips the others."""

    _buffer: bytearray
    _pos: int
    _decompressed: bool

    def __init__(self, tp: Any, batch: RecordBatch, begin: int) -> None:
        super().__init__(batch.raw)
        self._tp = tp
        self._batch = batch
        self._begin = begin

    def is_whole(self) -> bool:
        return bool(self._batch.is_current and super().validate_crc())

    def validate_crc(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        due = self.base_offset
        try:
            self._maybe_uncompress()
            while (record := next(self, None)) is not None:
                if not due <= record.offset <= (due if self._batch.is_dense else self.last_offset):
                    raise BrokenRecord(f"offset {record.offset} where {due} is due")
                due = record.offset + 1
                yield record
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the batch's)
            yield from self._one_by_one(due, error)

    def _maybe_uncompress(self) -> None:
        if not self._decompressed and self._batch.codec:
            self._buffer = bytearray(unpack(self._batch.codec, self._batch.raw[self._pos :]))
            self._pos = 0
        self._decompressed = True

    def _one_by_one(self, due: int, error: Exception) -> Iterator[Any]:
        if isinstance(error, UnpackError):
            self._leave_out(UnreadableOffsets(due, self._batch.last, error, b""))
            return
        for each in decode_records(parse_batch(uncompressed(self._batch))):
            if isinstance(each, UnreadableOffsets):
                self._leave_out(each)
            elif each.offset >= due:
                yield DefaultRecord(each.size, *each[:6])

    def _leave_out(self, found: UnreadableOffsets) -> None:
        if found.last >= self._begin:
            count_unreadable(
                self._tp.topic, self._tp.partition, max(found.offset, self._begin), found.last, found.error
            )


class _Corrupt(_Readable):
    """A batch with a wrong checksum: only its offsets are used."""

    def __init__(self, tp: Any, batch: RecordBatch, begin: int, until: int) -> None:
        super().__init__(tp, batch, begin)
        self._until = until

    @property
    def next_offset(self) -> int:
        return self._until + 1

    @property
    def is_control_batch(self) -> bool:
        return False

    def has_producer_id(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        self._leave_out(
            UnreadableOffsets(self._begin, self._until, ValueError("the checksum of the batch is wrong"), b"")
        )
        return iter(())
