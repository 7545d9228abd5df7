"""Decodes the bytes of a fetch for aiokafka, so that undecodable records don't stop the process and gaps are visible.

aiokafka itself fails for a whole fetch at an undecodable record, and skips markers and aborted transactions silently.
Here each becomes a ``SkippedOffsets`` among the records.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from msgspec import Struct

from connect.records.batches import (
    BrokenRecord,
    RecordBatch,
    UnreadableOffsets,
    decode_records,
    parse_batch,
    split_batches,
    uncompressed,
)
from connect.records.codecs import UNPACKED_MAX_BYTES, UnpackError

READ_COMMITTED: Final = "read_committed"


class BadChecksum(ValueError):
    """A batch was damaged after it had been produced."""


class SkippedOffsets(NamedTuple):
    """Offsets from ``offset`` to ``last`` without a readable record.

    ``error`` says why they can't be decoded, ``raw`` has their bytes. Without an error they are transaction markers,
    aborted records, or offsets removed by compaction.
    """

    offset: int
    last: int
    error: Exception | None = None
    raw: bytes = b""


class FetchedRecord(Struct, frozen=True):
    """A record with the fields of aiokafka's ConsumerRecord that are read; that takes five times as long to make."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def install() -> None:
    """Patch the aiokafka consumers of this process: ``getmany`` returns ``SkippedOffsets`` among its records."""
    parts: Any = fetcher
    parts.MemoryRecords = KeptMemoryRecords
    parts.PartitionRecords = SkippingPartitionRecords


def read_committed(consumer: Any) -> None:
    """Switch a started consumer from reading all records to reading committed ones.

    The end offsets that it returned before are those of the log, not the last stable ones.
    """
    consumer._fetcher._isolation_level = fetcher.READ_COMMITTED


class KeptMemoryRecords(MemoryRecords):  # type: ignore[misc,unused-ignore]
    """The batches of a fetch, with its bytes."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched


class SkippingPartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc,unused-ignore]
    """The records of one partition's fetch, with ``SkippedOffsets`` for everything else.

    It decompresses at most ``UNPACKED_MAX_BYTES`` and one batch: the rest is fetched again.
    """

    next_fetch_offset: int
    # The number and the bytes of the last parsed batch.
    _seen: tuple[int, RecordBatch] = (0, parse_batch(b""))

    def __iter__(self) -> Iterator[FetchedRecord | SkippedOffsets]:
        records: Iterator[FetchedRecord | SkippedOffsets] = self._records_iterator
        return records

    def _consumer_record(self, tp: TopicPartition, record: Any) -> FetchedRecord:
        headers = tuple(record.headers)
        return FetchedRecord(tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value, headers)

    def _unpack_records(self) -> Iterator[FetchedRecord | SkippedOffsets]:
        fetched: Any = self._records
        unpacked = number = 0
        while fetched.has_next() and unpacked < UNPACKED_MAX_BYTES:
            number += 1
            try:
                batch = fetched.next_batch()
                passed_over = self._checked(batch)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is the batch's)
                # Its transaction flags can't be trusted, so the rest is fetched again.
                yield self._corrupt(number, error)
                return
            if passed_over:
                yield self._skip(batch.next_offset - 1)
                continue
            try:
                if getattr(batch, "base_offset", self.next_fetch_offset) < self.next_fetch_offset:
                    # Which offsets are taken depends on the records before the requested one, too.
                    yield from self._decoded(self._raw(number))
                    continue
                if getattr(batch, "compression_type", 0):
                    bare = uncompressed(self._raw(number))
                    unpacked += len(bare)
                    batch = DefaultRecordBatch(bare)
                for record in batch:
                    if record.offset != self.next_fetch_offset:
                        self._expect_gap(number, record.offset)
                        yield self._jump(record.offset, batch.next_offset)
                    self.next_fetch_offset = record.offset + 1
                    yield self._consumer_record(self._tp, record)
                self._expect_gap(number, batch.next_offset)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is the batch's)
                yield from self._one_by_one(self._raw(number), error)
            if self.next_fetch_offset < batch.next_offset:
                yield self._skip(batch.next_offset - 1)

    def _checked(self, batch: Any) -> bool:
        """Whether the whole batch is skipped: a marker, or part of an aborted transaction. Raises BadChecksum."""
        if self._check_crcs and not batch.validate_crc():
            raise BadChecksum("the checksum of the batch is wrong")
        # The fetcher knows nothing about offsets before the batch.
        self.next_fetch_offset = max(self.next_fetch_offset, getattr(batch, "base_offset", 0))
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)

    def _expect_gap(self, number: int, end: int) -> None:
        """Raises BrokenRecord if offsets before ``end`` are due in a batch in which each has a record."""
        if self.next_fetch_offset < end and self._raw(number).is_dense:
            raise BrokenRecord(f"no record has the offset {self.next_fetch_offset}")

    def _jump(self, offset: int, end: int) -> SkippedOffsets:
        """The offsets before the next record of a batch. Raises BrokenRecord if its offset is impossible."""
        if not self.next_fetch_offset < offset < end:
            raise BrokenRecord(f"offset {offset} where {self.next_fetch_offset} is due")
        return self._skip(offset - 1)

    def _corrupt(self, number: int, error: Exception) -> SkippedOffsets:
        batch = self._raw(number)
        return self._skip(batch.believed_last(next(self._walk, None)), error, batch.raw)

    def _one_by_one(self, batch: RecordBatch, error: Exception) -> Iterator[FetchedRecord | SkippedOffsets]:
        """The decodable records of a batch that aiokafka fails at."""
        if isinstance(error, UnpackError) or not batch.is_current:
            yield self._skip(batch.last, error, batch.raw)
            return
        yield from self._decoded(batch)

    def _decoded(self, batch: RecordBatch) -> Iterator[FetchedRecord | SkippedOffsets]:
        """The records of a batch from ``next_fetch_offset`` on. Raises UnpackError."""
        for each in decode_records(parse_batch(uncompressed(batch))):
            if (each.last if isinstance(each, UnreadableOffsets) else each.offset) < self.next_fetch_offset:
                continue
            if each.offset > self.next_fetch_offset:
                yield self._skip(each.offset - 1)
            if isinstance(each, UnreadableOffsets):
                yield self._skip(each.last, each.error, each.raw or batch.raw)
            else:
                self.next_fetch_offset = each.offset + 1
                yield self._consumer_record(self._tp, each)
        if self.next_fetch_offset <= batch.last:
            yield self._skip(batch.last)

    def _skip(self, last: int, error: Exception | None = None, raw: bytes = b"") -> SkippedOffsets:
        first = self.next_fetch_offset
        last = max(first, last)
        self.next_fetch_offset = last + 1
        return SkippedOffsets(first, last, error, raw)

    def _raw(self, number: int) -> RecordBatch:
        """The bytes of a batch by its number from 1. Call it in ascending order."""
        while self._seen[0] < number:
            self._seen = self._seen[0] + 1, next(self._walk, None) or parse_batch(self._records.fetched)
        return self._seen[1]

    @cached_property
    def _walk(self) -> Iterator[RecordBatch]:
        fetched: Any = self._records
        return split_batches(fetched.fetched)
