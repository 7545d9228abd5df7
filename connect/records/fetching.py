"""Reading what a fetch brought so that nothing in it can end the process, and nothing goes by untold.

aiokafka gives up on all that it fetched for one record that it can't read, and passes over markers and aborted
transactions without a word. Here each becomes a ``Skip`` among the records, in its place.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord

from connect.records.batches import Batch, BrokenRecord, Unread, batch_of, batches, plain, records
from connect.records.codecs import UNPACKED_MAX_BYTES, Unpackable

READ_COMMITTED: Final = "read_committed"


class BadChecksum(ValueError):
    """A batch that is no longer what the broker was sent."""


class Skip(NamedTuple):
    """Offsets from ``offset`` to ``last`` without a record to hand over: the fetcher has seen what is there instead.

    ``error`` tells why they can't be read, ``raw`` what lies there; without one they are markers of transactions,
    aborted records, or were taken by a compaction.
    """

    offset: int
    last: int
    error: Exception | None = None
    raw: bytes = b""


def install() -> None:
    """Let every aiokafka consumer of this process read so; ``getmany`` gives ``Skip`` among its records."""
    parts: Any = fetcher
    parts.MemoryRecords = KeptRecords
    parts.PartitionRecords = IsolatingRecords


def read_committed(consumer: Any) -> None:
    """Let a started consumer, which was made to read anything, read only committed records from now on.

    What it was asked before is as before: its end offsets were those of the log.
    """
    consumer._fetcher._isolation_level = fetcher.READ_COMMITTED


class KeptRecords(MemoryRecords):  # type: ignore[misc,unused-ignore]
    """The batches of a fetch, and the bytes that they are read from."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched


class IsolatingRecords(fetcher.PartitionRecords):  # type: ignore[misc,unused-ignore]
    """The records of one partition's fetch, with a ``Skip`` for whatever is no record.

    Unpacks no more than ``UNPACKED_MAX_BYTES`` and one batch: what follows is fetched again.
    """

    next_fetch_offset: int
    # The batch that was looked at last in the bytes of the fetch, and its number there.
    _seen: tuple[int, Batch] = (0, batch_of(b""))

    def _unpack_records(self) -> Iterator[ConsumerRecord | Skip]:
        fetched: Any = self._records
        unpacked = number = 0
        while fetched.has_next() and unpacked < UNPACKED_MAX_BYTES:
            number += 1
            try:
                batch = fetched.next_batch()
                passed_over = self._checked(batch)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is the batch's)
                # Nothing that it says of transactions can be believed, so what follows is fetched anew.
                yield self._corrupt(number, error)
                return
            if passed_over:
                yield self._skip(batch.next_offset - 1)
                continue
            try:
                if getattr(batch, "compression_type", 0):
                    bare = plain(self._raw(number))
                    unpacked += len(bare)
                    batch = DefaultRecordBatch(bare)
                begin = self.next_fetch_offset
                for record in batch:
                    if record.offset != self.next_fetch_offset:
                        if getattr(batch, "base_offset", 0) <= record.offset < begin:
                            continue  # the reading begins behind it
                        yield self._jump(record.offset, batch.next_offset)
                    self.next_fetch_offset = record.offset + 1
                    yield self._consumer_record(self._tp, record)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is the batch's)
                yield from self._one_by_one(self._raw(number), error)
            if self.next_fetch_offset < batch.next_offset:
                yield self._skip(batch.next_offset - 1)

    def _checked(self, batch: Any) -> bool:
        """Whether a whole batch is a marker, or of an aborted transaction. Raises BadChecksum."""
        if self._check_crcs and not batch.validate_crc():
            raise BadChecksum("the checksum of the batch is wrong")
        # Offsets that lie before the batch are no part of what the fetcher knows.
        self.next_fetch_offset = max(self.next_fetch_offset, getattr(batch, "base_offset", 0))
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)

    def _jump(self, offset: int, end: int) -> Skip:
        """What lies before the next record of a batch. Raises BrokenRecord where that can't be its offset."""
        if not self.next_fetch_offset < offset < end:
            raise BrokenRecord(f"offset {offset} where {self.next_fetch_offset} is due")
        return self._skip(offset - 1)

    def _corrupt(self, number: int, error: Exception) -> Skip:
        batch = self._raw(number)
        return self._skip(batch.believed_last(next(self._walk, None)), error, batch.raw)

    def _one_by_one(self, batch: Batch, error: Exception) -> Iterator[ConsumerRecord | Skip]:
        """What can be read of a batch that aiokafka can't read."""
        if isinstance(error, Unpackable) or not batch.is_current:
            yield self._skip(batch.last, error, batch.raw)
            return
        for each in records(batch_of(plain(batch))):
            if (each.last if isinstance(each, Unread) else each.offset) < self.next_fetch_offset:
                continue
            if each.offset > self.next_fetch_offset:
                yield self._skip(each.offset - 1)
            if isinstance(each, Unread):
                yield self._skip(each.last, each.error, each.raw)
            else:
                self.next_fetch_offset = each.offset + 1
                yield self._consumer_record(self._tp, each)

    def _skip(self, last: int, error: Exception | None = None, raw: bytes = b"") -> Skip:
        first = self.next_fetch_offset
        last = max(first, last)
        self.next_fetch_offset = last + 1
        return Skip(first, last, error, raw)

    def _raw(self, number: int) -> Batch:
        """The bytes of a batch, counted from 1. Asked for in order: what lies before is forgotten."""
        while self._seen[0] < number:
            self._seen = self._seen[0] + 1, next(self._walk, None) or batch_of(self._records.fetched)
        return self._seen[1]

    @cached_property
    def _walk(self) -> Iterator[Batch]:
        fetched: Any = self._records
        return batches(fetched.fetched)
