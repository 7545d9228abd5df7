"""A Faust table of bytes whose records begin with an offset, written in whole batches.

On recovery and on a standby a record is replaced only by one with a higher offset, so that what a
paused worker still writes can do no harm. A table may keep an index of its records, which lives in the
local database only and changes in the same write as the records, in running and in recovery alike.
"""

import asyncio
import logging
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

import msgspec
import rocksdict
from faust import Table
from faust.types import TP, AppT, StoreT

from connect.topics import changelog
from streams.runtime.app import App
from streams.runtime.changelog import Rows, changes, follow
from streams.runtime.produce import Record, try_append
from streams.runtime.retry import BROKERS_AWAY, append, patiently
from streams.runtime.rocksdb_options import StoreOptions
from tables.errors import InvariantBroken

RecordOffset = Callable[[bytes], int]
# What a record (key, value) does to the index: the entry that goes, the entry that comes.
Index = Callable[[bytes, bytes], tuple[bytes | None, bytes | None]]
# Whether two records of one key and one offset may both be true.
Same = Callable[[bytes, bytes, bytes], bool]

RECORD_OVERHEAD = 40

log = logging.getLogger(__name__)


def _no_index(key: bytes, value: bytes) -> tuple[None, None]:
    return None, None


def _may_differ(key: bytes, one: bytes, other: bytes) -> bool:
    return True


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
    same: Same
    older: dict[int, set[bytes]]
    _read_to: dict[int, int]
    # Whoever writes to a partition, or looks whether others do, has its turn.
    _turns: defaultdict[int, asyncio.Lock]

    @classmethod
    def add(
        cls,
        app: AppT,
        name: str,
        partitions: int,
        record_offset: RecordOffset,
        index: Index = _no_index,
        same: Same = _may_differ,
    ) -> "OffsetTable":
        """Make the table and register it with ``app``.

        ``same`` is given where a record is made by its offset alone, so that another one of that offset contradicts it.
        """
        table = cls(
            app,
            name=name,
            partitions=partitions,
            key_type=bytes,
            value_type=bytes,
            store="rocksdb://",
            options={"driver": "rocksdict"},
            recovery_buffer_size=1000,
        )
        table.record_offset = record_offset
        table.index = index
        table.same = same
        table.older, table._read_to = {}, {}
        table._turns = defaultdict(asyncio.Lock)
        app.tables.add(table)
        table._worker.figures.keeps(name)
        return table

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
        Where somebody else has appended meanwhile, what of theirs is older is written over (see ``write_over``).
        Brokers that are away are waited for; raises as ``patiently`` does.
        """
        if (
            sum(len(key) + len(value) + RECORD_OVERHEAD for group in groups for key, value in group.items())
            < self._room
        ):
            groups = ({key: value for group in groups for key, value in group.items()},)
        async with self._turns[partition]:
            alone = True
            for group in groups:
                alone &= await self._append(partition, group)
            if not alone:
                await self._answer_patiently(partition)

    async def look_for_others(self, partition: int) -> None:
        """Write over what somebody else has appended to a partition that this worker writes, if anybody has.

        Raises as ``patiently`` does.
        """
        async with self._turns[partition]:
            place = TP(self._changelog, partition)
            ends = await self.app.consumer.highwaters(place)
            if (ends[place] or 0) > self._due(partition):
                await self._answer_patiently(partition)

    async def _answer_patiently(self, partition: int) -> None:
        answering = f"writing over {self._changelog}"
        await patiently(self._worker, lambda: self._answer(partition), doing=answering, passing=BROKERS_AWAY)

    async def _append(self, partition: int, records: dict[bytes, bytes]) -> bool:
        """Append to the changelog. Whether nobody else had appended since this worker knew it to its end."""
        place = await append(self._worker, self._changelog, partition, [Record(*item) for item in records.items()])
        mark = covered(self.mark(partition), place.offsets, len(records))
        if mark is not None:
            self._set_mark(partition, mark)
        return mark is not None or not records

    async def recover(self, partitions: set[int]) -> None:
        """Take over what the changelog has of ``partitions`` beyond what the local folder knows.

        Raises InvariantBroken where the folder knows more than the changelog has.
        """
        begins = {partition: self._due(partition) for partition in partitions}
        self.older = {partition: set() for partition in partitions}
        self._read_to = dict(begins)
        await self._take_all(changes(self._servers, self._changelog, begins))

    async def warm_up(self) -> None:
        """Take over what the changelog has of all partitions, and close them again. Nobody has given out any yet."""
        await self.recover(set(range(self.partitions or 0)))
        self.older = {}
        self._rocks._dbs.clear()

    async def follow(self, partitions: set[int]) -> None:
        """Keep copies of ``partitions``, that others write: take over what they append, until cancelled.

        Raises as ``recover`` does.
        """
        begins = {partition: self._due(partition) for partition in partitions}
        self.older |= {partition: set() for partition in partitions}
        self._read_to |= begins
        await self._take_all(follow(self._servers, self._changelog, begins))

    async def _take_all(self, changes: AsyncIterator[tuple[int, Rows, int]]) -> None:
        async for partition, rows, due in changes:
            self.take_over(partition, rows)
            self._read_to[partition] = due
            # The mark stays before what is still to be written over, so that no crash makes that forgotten.
            if not self.older[partition]:
                self._set_mark(partition, due - 1)

    def take_over(self, partition: int, rows: Rows) -> None:
        """Store changelog records, leaving out those that are older than what is stored, and remember their keys.

        One that tells no offset is of none of our versions: it changes nothing, and ours is appended behind it again.
        """
        try:
            self._take_over(partition, rows)
        except msgspec.DecodeError:
            foreign = [key for key, value in rows if not self._tells_offset(value)]
            self._take_over(partition, [row for row in rows if self._tells_offset(row[1])])
            self.older[partition] |= {key for key in foreign if self.read(partition, key) is not None}
            log.warning("%s[%d]: passed over %d records of somebody else", self._changelog, partition, len(foreign))

    def _tells_offset(self, value: bytes) -> bool:
        try:
            return self.record_offset(value) >= 0
        except msgspec.DecodeError:
            return False

    def _take_over(self, partition: int, rows: Rows) -> None:
        older = self.older.setdefault(partition, set())
        keys = [key for key, _ in rows]
        known = dict(zip(keys, self.read_all(partition, keys), strict=True))
        newer: dict[bytes, bytes] = {}
        for key, value in rows:
            has = newer.get(key) or known[key]
            if has is not None and self._compare(partition, key, value, has) < 0:
                older.add(key)
            else:
                newer[key] = value
                older.discard(key)
        self._put(partition, newer.items())

    def _compare(self, partition: int, key: bytes, value: bytes, has: bytes) -> int:
        """Below 0 where ``value`` is the older record, above 0 where it is the newer, 0 where they are of one offset.

        Raises InvariantBroken where they are and contradict each other.
        """
        offset, known = self.record_offset(value), self.record_offset(has)
        if offset == known and value != has and not self.same(key, value, has):
            raise InvariantBroken(
                f"{self._changelog}[{partition}]: key {key.hex()} has two different records of input offset {offset}"
            )
        return offset - known

    async def write_over(self, partition: int, below: int) -> int:
        """Append again what older records came after in the changelog, if it is of before input offset ``below``.

        The newest record of a key is the last one then, which a compaction keeps. What is from ``below`` on is
        appended by the replay, in its order. Gives the number of records.
        """
        again = {}
        for key in self.older.pop(partition, ()):
            value = self.read(partition, key)
            if value is not None and self.record_offset(value) < below:
                again[key] = value
        records = [Record(*item) for item in again.items()]
        place = await try_append(self.app, self._changelog, partition, records)
        due = self._read_to[partition]
        mark = covered(due - 1, place.offsets, len(records))
        self._set_mark(partition, due - 1 if mark is None else mark)
        return len(again)

    async def _answer(self, partition: int) -> None:
        """Somebody else has appended to a partition that this worker writes: see that nothing of it stays the last."""
        log.warning("%s[%d]: another worker has written to it", self._changelog, partition)
        self._worker.figures.strangers[self.name] += 1
        newer = False
        older = set()
        due = self._due(partition)
        async for _, rows, end in changes(self._servers, self._changelog, {partition: due}):
            for key, value in rows:
                has = self.read(partition, key)
                if not self._tells_offset(value):
                    older.add(key)
                elif has is None or (order := self._compare(partition, key, value, has)) > 0:
                    newer = True
                elif order < 0:
                    older.add(key)
                else:
                    older.discard(key)
            due = end
        # One that is newer means that this worker is the stale one.
        if newer:
            return
        self.older[partition], self._read_to[partition] = older, due
        await self.write_over(partition, sys.maxsize)

    def mark(self, partition: int) -> int | None:
        """The last changelog offset up to which the local folder has everything."""
        mark: int | None = self.data.persisted_offset(TP(self._changelog, partition))
        return mark

    def _set_mark(self, partition: int, offset: int) -> None:
        self.data.set_persisted_offset(TP(self._changelog, partition), offset)

    def _due(self, partition: int) -> int:
        mark = self.mark(partition)
        return 0 if mark is None else mark + 1

    @property
    def _changelog(self) -> str:
        return changelog(self.name)

    @property
    def _servers(self) -> str:
        return self._worker.settings.kafka_servers

    @property
    def _worker(self) -> App:
        return cast("App", self.app)

    @property
    def _room(self) -> int:
        return int(self.app.conf.producer_max_batch_size)

    def has_open(self, partition: int) -> bool:
        """Whether this worker has the partition open."""
        return partition in self._rocks._dbs

    def _database(self, partition: int) -> Any:
        return self._rocks._db_for_partition(partition)

    @property
    def _rocks(self) -> Any:
        return self.data
