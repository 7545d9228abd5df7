"""A table whose records begin with an offset, and its changelog, written in whole batches.

In a recovery and on a standby a record is only replaced by one with a higher offset, so that the late writes of a
paused worker do no harm.
"""

import asyncio
import logging
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import cast

import msgspec
from faust.types import TP, AppT

from connect.client_options import ClientOptions, client_options
from streams.runtime.app import App
from streams.runtime.changelog import Changes, Rows, changes, follow
from streams.runtime.failures import with_retries
from streams.runtime.indexed_table import Index, IndexedTable, RecordWatches, no_index
from streams.runtime.kafka_types import Record
from streams.runtime.produce import BROKERS_UNAVAILABLE, append, append_once
from tables.errors import InvariantBroken

RecordOffset = Callable[[bytes], int]
# Whether two records of one key and one offset may both be right.
MayCoexist = Callable[[bytes, bytes, bytes], bool]

RECORD_OVERHEAD_BYTES = 40

log = logging.getLogger(__name__)


def next_mark(mark: int | None, appended: range, count: int) -> int | None:
    """The mark once ``count`` records are at the changelog offsets ``appended``.

    None where the mark stays: another worker has appended before or in between, and a recovery must read that.
    """
    expected = 0 if mark is None else mark + 1
    return appended[-1] if appended and appended.start == expected and len(appended) == count else None


class OffsetTable(IndexedTable):
    """``stale_keys`` are, by partition, the keys whose last record in the changelog is not their newest one."""

    record_offset: RecordOffset
    may_coexist: MayCoexist
    stale_keys: dict[int, set[bytes]]
    # By partition, the changelog offset behind what was read.
    _read_to: dict[int, int]
    # One task at a time writes to a partition, or checks it for writes of others.
    _locks: defaultdict[int, asyncio.Lock]
    watches: RecordWatches

    @classmethod
    def add(
        cls,
        app: AppT,
        name: str,
        partitions: int,
        record_offset: RecordOffset,
        index: Index = no_index,
        may_coexist: MayCoexist = lambda key, one, other: True,
    ) -> "OffsetTable":
        """Make the table and register it with ``app``.

        ``may_coexist`` is given where a record is determined by its offset, so that two different ones are an error.
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
        table.may_coexist = may_coexist
        table.stale_keys, table._read_to = {}, {}
        table._locks = defaultdict(asyncio.Lock)
        table.watches = RecordWatches()
        app.tables.add(table)
        table._worker.counters.add_table(name)
        return table

    def store(self, partition: int, records: dict[bytes, bytes]) -> list[bytes]:
        """Write ``records`` locally, in one batch; they count once ``publish`` has returned.

        Gives the index entries that were added.
        """
        entries = self._put(partition, records.items())
        self.watches.stored(partition, records)
        return entries

    async def save(self, partition: int, records: dict[bytes, bytes]) -> None:
        """Store and publish the records, if there are any. Raises as ``publish`` does."""
        if records:
            self.store(partition, records)
            await self.publish(partition, records)

    async def publish(self, partition: int, *groups: dict[bytes, bytes]) -> None:
        """Append the groups to the changelog, each acknowledged before the first record of the next.

        Groups that fit one produced batch go as one: their order holds, and one wait is enough. Repairs the changelog
        where another worker has written to it. Waits while brokers are unavailable; raises as ``with_retries`` does.
        """
        if sum(_size_bytes(group) for group in groups) < self._batch_max_bytes:
            groups = ({key: value for group in groups for key, value in group.items()},)
        async with self._locks[partition]:
            alone = True
            for group in groups:
                alone &= await self._append(partition, group)
            if not alone:
                await self._repair_with_retries(partition)

    async def check_foreign_writes(self, partition: int) -> None:
        """Repair the changelog of an owned partition if another worker has written to it.

        Raises as ``with_retries`` does.
        """
        async with self._locks[partition]:
            tp = TP(self._changelog, partition)
            ends = await self.app.consumer.highwaters(tp)
            if (ends[tp] or 0) > self._next_offset(partition):
                await self._repair_with_retries(partition)

    async def _append(self, partition: int, records: dict[bytes, bytes]) -> bool:
        """Append to the changelog. Whether no other worker has appended since the mark."""
        produced = await append(self._worker, self._changelog, partition, [Record(*item) for item in records.items()])
        mark = next_mark(self.mark(partition), produced.offsets, len(records))
        if mark is not None:
            self._set_mark(partition, mark)
        return mark is not None or not records

    async def recover(self, partitions: set[int]) -> None:
        """Read the changelogs of ``partitions`` from their marks to their ends.

        Raises InvariantBroken where a mark lies behind the end, and as ``apply_changes`` does.
        """
        begins = {partition: self._next_offset(partition) for partition in partitions}
        self.stale_keys = {partition: set() for partition in partitions}
        self._read_to = dict(begins)
        await self._apply_all(changes(self._kafka, self._changelog, begins))

    async def warm_up(self) -> None:
        """Read the changelogs of all partitions, before any is assigned, and close the databases again."""
        await self.recover(set(range(self.partitions or 0)))
        self.stale_keys = {}
        self.close()

    async def follow(self, partitions: set[int]) -> None:
        """Keep standby copies of ``partitions`` until cancelled. Raises as ``recover`` does."""
        begins = {partition: self._next_offset(partition) for partition in partitions}
        self.stale_keys |= {partition: set() for partition in partitions}
        self._read_to |= begins
        await self._apply_all(follow(self._kafka, self._changelog, begins))

    async def _apply_all(self, changes: Changes) -> None:
        async for partition, rows, next_offset in changes:
            self.apply_changes(partition, rows)
            self._read_to[partition] = next_offset
            # The mark stays before keys that need repair, so that a crash doesn't forget them.
            if not self.stale_keys[partition]:
                self._set_mark(partition, next_offset - 1)

    def apply_changes(self, partition: int, rows: Rows) -> None:
        """Store changelog records, except those older than the stored ones, whose keys become stale.

        A record without an offset is not ours: it is ignored, and makes its key stale if we have that.
        Raises InvariantBroken where two records contradict each other.
        """
        try:
            self._apply_changes(partition, rows)
        except msgspec.DecodeError:
            foreign = [key for key, value in rows if not self._has_offset(value)]
            self._apply_changes(partition, [row for row in rows if self._has_offset(row[1])])
            self.stale_keys[partition] |= {key for key in foreign if self.read(partition, key) is not None}
            log.warning("%s[%d]: ignored %d foreign records", self._changelog, partition, len(foreign))

    def _has_offset(self, value: bytes) -> bool:
        try:
            return self.record_offset(value) >= 0
        except msgspec.DecodeError:
            return False

    def _apply_changes(self, partition: int, rows: Rows) -> None:
        stale = self.stale_keys.setdefault(partition, set())
        keys = [key for key, _ in rows]
        stored = dict(zip(keys, self.read_all(partition, keys), strict=True))
        newer: dict[bytes, bytes] = {}
        for key, value in rows:
            known = newer.get(key) or stored[key]
            if known is not None and self._compare(partition, key, value, known) < 0:
                stale.add(key)
            else:
                newer[key] = value
                stale.discard(key)
        self._put(partition, newer.items())

    def _compare(self, partition: int, key: bytes, value: bytes, known: bytes) -> int:
        """Negative where ``value`` is older than ``known``, positive where it is newer, 0 for the same offset.

        Raises InvariantBroken where two records of one offset contradict each other.
        """
        offset, known_offset = self.record_offset(value), self.record_offset(known)
        if offset == known_offset and value != known and not self.may_coexist(key, value, known):
            raise InvariantBroken(
                f"{self._changelog}[{partition}]: key {key.hex()} has two different records of input offset {offset}"
            )
        return offset - known_offset

    async def reappend(self, partition: int, below: int) -> int:
        """Append the newest record of each stale key again, if it is of before input offset ``below``.

        Then the newest record of a key is the last one, which compaction keeps. Records from ``below`` on are appended
        by the replay. Gives the number of records.
        """
        newest = {}
        for key in self.stale_keys.pop(partition, ()):
            value = self.read(partition, key)
            if value is not None and self.record_offset(value) < below:
                newest[key] = value
        records = [Record(*item) for item in newest.items()]
        produced = await append_once(self.app, self._changelog, partition, records)
        read_to = self._read_to[partition] - 1
        mark = next_mark(read_to, produced.offsets, len(records))
        self._set_mark(partition, read_to if mark is None else mark)
        return len(newest)

    async def _repair_with_retries(self, partition: int) -> None:
        await with_retries(
            self._worker,
            lambda: self._repair(partition),
            doing=f"writing over {self._changelog}",
            transient=BROKERS_UNAVAILABLE,
        )

    async def _repair(self, partition: int) -> None:
        """Another worker has written to a partition that this one owns: append our newer records again."""
        log.warning("%s[%d]: another worker has written to it", self._changelog, partition)
        self._worker.counters.foreign_writes[self.name] += 1
        has_newer = False
        stale: set[bytes] = set()
        next_offset = self._next_offset(partition)
        async for _, rows, end in changes(self._kafka, self._changelog, {partition: next_offset}):
            has_newer |= self._collect_stale(partition, rows, stale)
            next_offset = end
        if has_newer:  # then this worker is the paused one
            return
        self.stale_keys[partition], self._read_to[partition] = stale, next_offset
        await self.reappend(partition, sys.maxsize)

    def _collect_stale(self, partition: int, rows: Rows, stale: set[bytes]) -> bool:
        """Update the keys whose last record is not their newest one. Whether any record is newer than ours."""
        has_newer = False
        for key, value in rows:
            known = self.read(partition, key)
            if not self._has_offset(value):
                stale.add(key)
            elif known is None or (order := self._compare(partition, key, value, known)) > 0:
                has_newer = True
            elif order < 0:
                stale.add(key)
            else:
                stale.discard(key)
        return has_newer

    @property
    def _kafka(self) -> ClientOptions:
        return client_options(self._worker.settings)

    @property
    def _worker(self) -> App:
        return cast("App", self.app)

    @property
    def _batch_max_bytes(self) -> int:
        return int(self.app.conf.producer_max_batch_size)


def _size_bytes(records: dict[bytes, bytes]) -> int:
    return sum(map(len, records)) + sum(map(len, records.values())) + RECORD_OVERHEAD_BYTES * len(records)
