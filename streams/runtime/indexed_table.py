"""A Faust table of bytes in RocksDB, with the partition given explicitly, batched writes, an index, and watches.

The index lives in the local database only, and changes in the same write as the records, in operation and in recovery.
"""

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property
from typing import Any

import rocksdict
from faust import Table
from faust.types import TP, StoreT

from connect.topics import changelog
from streams.runtime.rocksdb_options import StoreOptions

# What a record (key, value) does to the index: the entries that it removes, the entry that it adds.
Index = Callable[[bytes, bytes], tuple[Iterable[bytes], bytes | None]]


def no_index(key: bytes, value: bytes) -> tuple[tuple[()], None]:
    """The index of a table that has none."""
    return (), None


class RecordWatches:
    """Who waits for a change of which record, by partition and key. While nobody waits, a batch pays for one look."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, bytes], set[asyncio.Event]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not self._waiting

    def stored(self, partition: int, keys: Container[bytes]) -> None:
        """Records of these keys have been stored."""
        for place, events in self._waiting.items():
            if place[0] == partition and place[1] in keys:
                for event in events:
                    event.set()

    async def wait(self, partition: int, key: bytes, timeout_s: float) -> None:
        """Return once the record is stored the next time, at the latest after the timeout."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault((partition, key), set())
        waiting.add(event)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop((partition, key), None)


class IndexedTable(Table[bytes, bytes]):
    """The local side of a table: its records, its index, and the mark.

    The mark is the last changelog offset up to which the local database is complete.
    """

    index: Index

    def _new_store(self) -> StoreT[Any, Any]:
        store: Any = super()._new_store()
        store.rocksdb_options = StoreOptions()
        return store  # type: ignore[no-any-return]

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
        """The entries whose keys begin with ``prefix``, in order, from the key ``start`` on."""
        for key, value in self._database(partition).items(from_key=max(prefix, start)):
            if not key.startswith(prefix):
                return
            yield key, value

    def compact(self, partition: int) -> None:
        """Rewrite the local files without overwritten records."""
        database = self._database(partition)
        database.flush()
        options = rocksdict.CompactOptions()
        # Without these RocksDB sees nothing to gain, and does nothing.
        options.set_exclusive_manual_compaction(True)
        options.set_bottommost_level_compaction(rocksdict.BottommostLevelCompaction.force())
        database.compact_range(None, None, options)

    def mark(self, partition: int) -> int | None:
        """The mark of a partition, or None where nothing was read yet."""
        mark: int | None = self.data.persisted_offset(TP(self._changelog, partition))
        return mark

    def is_open(self, partition: int) -> bool:
        """Whether this worker has the partition's database open."""
        return partition in self._rocks._dbs

    def close(self) -> None:
        """Close all databases; they open again with the next access."""
        self._rocks._dbs.clear()

    def _put(self, partition: int, records: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Write records and index in one batch. Gives the index entries that were added."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        entries = []
        for key, value in records:
            batch.put(key, value)
            removed, added = self.index(key, value)
            for entry in removed:
                batch.delete(entry)
            if added is not None:
                batch.put(added, b"")
                entries.append(added)
        self._database(partition).write(batch)
        return entries

    def _set_mark(self, partition: int, offset: int) -> None:
        self.data.set_persisted_offset(TP(self._changelog, partition), offset)

    def _next_offset(self, partition: int) -> int:
        """The first changelog offset that the database lacks."""
        mark = self.mark(partition)
        return 0 if mark is None else mark + 1

    @cached_property
    def _changelog(self) -> str:
        return changelog(self.name)

    def _database(self, partition: int) -> Any:
        return self._rocks._db_for_partition(partition)

    @property
    def _rocks(self) -> Any:
        return self.data
