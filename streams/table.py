"""A Faust table of bytes whose records begin with an offset, written in whole batches.

On recovery and on a standby a record is replaced only by one with a higher offset, so that what a
paused worker still writes can do no harm. A table may keep an index of its records, which lives in the
local database only and changes in the same write as the records, in running and in recovery alike.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import rocksdict
from faust import Table
from faust.types import TP, AppT, EventT

from connect.topics import changelog
from streams.append import Record, append

RecordOffset = Callable[[bytes], int]
# What a record (key, value) does to the index: the entry that goes, the entry that comes.
Index = Callable[[bytes, bytes], tuple[bytes | None, bytes | None]]
# Sees each record (partition, key, value) that a recovery takes over.
Reader = Callable[[int, bytes, bytes], None]

WRITE_BUFFER = 8 << 20
BLOCK_CACHE = 32 << 20
OPEN_FILES = 256
RECORD_OVERHEAD = 40


def _no_index(key: bytes, value: bytes) -> tuple[None, None]:
    return None, None


def _options() -> dict[str, Any]:
    """RocksDB's options; a fresh dict for each table, since Faust takes entries out of it."""
    return {
        "driver": "rocksdict",
        "write_buffer_size": WRITE_BUFFER,
        "block_cache_size": BLOCK_CACHE,
        "max_open_files": OPEN_FILES,
    }


def covered(mark: int | None, appended: range, count: int) -> int | None:
    """Up to which changelog offset the local store has everything, once ``count`` records stand at ``appended``.

    None where nothing is to change: where somebody else appended before or in between, as a paused worker may,
    recovery must read that, so the mark stays.
    """
    due = 0 if mark is None else mark + 1
    return appended[-1] if appended and appended.start == due and len(appended) == count else None


class OffsetTable(Table[bytes, bytes]):
    """A table whose partition is always said, not guessed from a current event."""

    record_offset: RecordOffset
    index: Index
    reader: Reader | None = None

    @classmethod
    def add(
        cls, app: AppT, name: str, partitions: int, record_offset: RecordOffset, index: Index = _no_index
    ) -> "OffsetTable":
        """Make the table and register it with ``app``."""
        table = cls(
            app,
            name=name,
            partitions=partitions,
            key_type=bytes,
            value_type=bytes,
            store="rocksdb://",
            options=_options(),
            recovery_buffer_size=1000,
        )
        table.record_offset = record_offset
        table.index = index
        app.tables.add(table)
        return table

    def _changelog_topic_name(self) -> str:
        return changelog(self.name)

    def read(self, partition: int, key: bytes) -> bytes | None:
        """The record under ``key``, or None."""
        value: bytes | None = self._database(partition).get(key)
        return value

    def read_all(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        """The records under ``keys``, in their order; None where there is none."""
        values: list[bytes | None] = self._database(partition).get(keys)
        return values

    def scan(self, partition: int, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """What is stored under keys that begin with ``prefix``, in their order, from the key ``start`` on."""
        for key, value in self._database(partition).items(from_key=max(prefix, start)):
            if not key.startswith(prefix):
                return
            yield key, value

    def store(self, partition: int, records: dict[bytes, bytes]) -> list[bytes]:
        """Write ``records`` locally, as one; they count once ``publish`` has returned. The index entries that came."""
        return self._put(partition, records.items())

    def compact(self, partition: int) -> None:
        """Write the local files anew, without what was overwritten."""
        database = self._database(partition)
        database.flush()
        options = rocksdict.CompactOptions()
        # Without these RocksDB finds that it has nothing to gain, and does nothing.
        options.set_exclusive_manual_compaction(True)
        options.set_bottommost_level_compaction(rocksdict.BottommostLevelCompaction.force())
        database.compact_range(None, None, options)

    def _put(self, partition: int, records: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        batch = rocksdict.WriteBatch(raw_mode=True)
        entries = []
        for key, value in records:
            batch.put(key, value)
            gone, come = self.index(key, value)
            if gone is not None:
                batch.delete(gone)
            if come is not None:
                batch.put(come, b"")
                entries.append(come)
        self._database(partition).write(batch)
        return entries

    async def publish(self, partition: int, *groups: dict[bytes, bytes]) -> None:
        """Append the groups to the changelog, each acknowledged before the next one's first record.

        Groups that fit one produced batch are appended as a whole: the order holds, one wait is enough.
        """
        topic = self.changelog_topic.get_topic_name()
        if (
            sum(len(key) + len(value) + RECORD_OVERHEAD for group in groups for key, value in group.items())
            < self._room
        ):
            groups = ({key: value for group in groups for key, value in group.items()},)
        place = TP(topic, partition)
        for group in groups:
            appended = await append(self.app, topic, partition, [Record(*item) for item in group.items()])
            mark = covered(self.data.persisted_offset(place), appended.offsets, len(group))
            if mark is not None:
                self.data.set_persisted_offset(place, mark)

    @property
    def _room(self) -> int:
        return int(self.app.conf.producer_max_batch_size)

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Take over changelog records, leaving out those that are older than what is stored."""
        newest: dict[tuple[int, bytes], int] = {}
        fresh: dict[int, list[tuple[bytes, bytes]]] = {}
        last: dict[TP, int] = {}
        for event in batch:
            message = event.message
            if message.key is None or message.value is None:
                continue
            partition = message.partition
            last[TP(message.topic, partition)] = message.offset
            known = newest.get((partition, message.key))
            if known is None:
                stored = self.read(partition, message.key)
                known = -1 if stored is None else self.record_offset(stored)
            offset = self.record_offset(message.value)
            if offset >= known:
                newest[partition, message.key] = offset
                fresh.setdefault(partition, []).append((message.key, message.value))
        for partition, records in fresh.items():
            self._put(partition, records)
            if self.reader is not None:
                for record in records:
                    self.reader(partition, *record)
        for tp, offset in last.items():
            self.data.set_persisted_offset(tp, offset)

    def has_open(self, partition: int) -> bool:
        """Whether this worker has the partition open."""
        return partition in self._rocks._dbs

    def _database(self, partition: int) -> Any:
        return self._rocks._db_for_partition(partition)

    @property
    def _rocks(self) -> Any:
        return self.data
