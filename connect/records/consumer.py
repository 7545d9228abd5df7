"""kafka-python's consumer as all of ours are: it reads committed records, and goes on behind what can't be read.

kafka-python gives up on a fetch for one record that it can't read, and fetches the same again for ever. Here the
record, or the batch where it can't be told from others, is left out, logged once and counted. Nobody who reads so
acknowledges anything; for aiokafka ``connect/records/fetching.py`` does the same.
"""

from collections.abc import Iterator
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from connect.records.batches import Batch, BrokenRecord, Unread, batch_of, batches, plain, records
from connect.records.codecs import UNPACKED_MAX_BYTES, Unpackable, unpack
from connect.records.unread import tell_unread

# kafka-python's own half minute is longer than who asks has patience.
CONNECT_WITHIN_MS: Final = 5_000


def make_consumer(servers: str | list[str], **options: Any) -> Any:
    """A KafkaConsumer that commits nothing, with these options beside. Raises KafkaError where no broker answers."""
    options = {"bootstrap_timeout_ms": CONNECT_WITHIN_MS} | options
    consumer = KafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, isolation_level="read_committed", **options
    )
    consumer._fetcher.PartitionRecords = IsolatingRecords
    return consumer


class IsolatingRecords(Fetcher.PartitionRecords):  # type: ignore[misc,unused-ignore]
    """The records of one partition's fetch, without those that can't be read."""

    def _unpack_records(self, tp: Any, found: Any, *deserializers: Any) -> Iterator[Any]:
        readable = _Batches(tp, bytes(found._buffer), self.fetch_offset)
        return super()._unpack_records(tp, readable, *deserializers)  # type: ignore[no-any-return,unused-ignore]


class _Batches:
    """The batches of a fetch, for kafka-python to take one by one.

    It gets no more after one with a wrong checksum, since what that says of transactions can't be believed, and after
    ``UNPACKED_MAX_BYTES``: what follows is fetched anew.
    """

    def __init__(self, tp: Any, fetched: bytes, begin: int) -> None:
        self._tp = tp
        self._begin = begin
        self._walk = batches(fetched)
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
    """A batch that never fails to give its records, since it gives only those that can be read."""

    _buffer: bytearray
    _pos: int
    _decompressed: bool

    def __init__(self, tp: Any, batch: Batch, begin: int) -> None:
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
                if not due <= record.offset <= self.last_offset:
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
        if isinstance(error, Unpackable):
            self._leave_out(Unread(due, self._batch.last, error, b""))
            return
        for each in records(batch_of(plain(self._batch))):
            if isinstance(each, Unread):
                self._leave_out(each)
            elif each.offset >= due:
                yield DefaultRecord(each.size, *each[:6])

    def _leave_out(self, found: Unread) -> None:
        if found.last >= self._begin:
            tell_unread(self._tp.topic, self._tp.partition, max(found.offset, self._begin), found.last, found.error)


class _Corrupt(_Readable):
    """A batch of which nothing is believed but its place."""

    def __init__(self, tp: Any, batch: Batch, begin: int, until: int) -> None:
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
        self._leave_out(Unread(self._begin, self._until, ValueError("the checksum of the batch is wrong"), b""))
        return iter(())
