"""Lists over the partitions of a table, in pages: partition after partition, each read where it is owned.

A page is collected in small steps, with the agents running in between, and ends at a number of steps, too. So it may
have fewer items than its limit, even none, though there are more.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from streams.runtime.partition_reads import PartitionReads, Scan
from streams.runtime.web import Request, Response, json_response
from streams.runtime.web_parameters import ListPosition, query_limit, query_position

STEPS_MAX: Final = 200
PAGE_MAX_BYTES: Final = 512 * 1024


class ListAnswer(Struct, frozen=True):
    """Some items, and the cursor of the next page; null on the last. A page may have fewer items than its limit."""

    items: list[Any]
    next: str | None


class PageItems:
    """The items of a page while it is collected, encoded one by one."""

    def __init__(self, limit: int) -> None:
        self.items: list[Any] = []
        self._limit = limit
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the page takes no more items. A single item may be larger than PAGE_MAX_BYTES."""
        return len(self.items) >= self._limit or self._bytes >= PAGE_MAX_BYTES

    def add(self, item: Struct) -> None:
        encoded = msgspec.json.encode(item)
        self._bytes += len(encoded)
        self.items.append(msgspec.Raw(encoded))


class PartitionScan(Protocol):
    """Goes through a partition's records from ``position`` on, which is None at the end."""

    position: bytes | None

    def step(self) -> Any: ...


class EntryScan:
    """Goes through the entries that ``scan`` gives from a key on, one a step."""

    def __init__(self, scan: Scan, position: bytes) -> None:
        self.position: bytes | None = position
        self._scan = scan

    def step(self) -> tuple[bytes, bytes] | None:
        """The next entry; None at the end."""
        first = None if self.position is None else next(self._scan(self.position), None)
        self.position = None if first is None else first[0] + b"\0"
        return first


class PartitionList:
    """A list over all partitions, or over one of them.

    ``begin`` starts a scan of a partition at a position, ``show`` gives the item for what a step found, if wanted.
    """

    def __init__(
        self,
        reads: PartitionReads,
        begin: Callable[[int, bytes], PartitionScan],
        show: Callable[[Any], Struct | None] = lambda item: item,
    ) -> None:
        self._reads = reads
        self._begin = begin
        self._show = show

    async def answer(self, request: Request, partition: int | None = None, path: str | None = None) -> Response:
        """A page, from the owner of the partition where it begins, asked for ``path``. Raises RequestProblem."""
        limit = query_limit(request)
        position = query_position(request, self._reads.partitions) or ListPosition(partition or 0, b"")
        if position.partition not in self._reads.owned():
            return await self._reads.forward(request, position.partition, path=path)
        items = PageItems(limit)
        end = self._reads.partitions if partition is None else partition + 1
        following = await self._collect(items, position, end)
        return json_response(ListAnswer(items.items, following and following.encode()))

    async def _collect(self, items: PageItems, position: ListPosition, end: int) -> ListPosition | None:
        """Collect items; where the next page begins, None on the last."""
        steps = STEPS_MAX
        while position.partition < end:
            if position.partition not in self._reads.owned():
                return position
            scan = self._begin(*position)
            while scan.position is not None:
                if items.is_full or not steps:
                    return ListPosition(position.partition, scan.position)
                steps -= 1
                await self._step(items, position.partition, scan)
            position = ListPosition(position.partition + 1, b"")
        return None

    async def _step(self, items: PageItems, partition: int, scan: PartitionScan) -> None:
        found = scan.step()
        item = None if found is None else self._show(found)
        if item is not None:
            items.add(item)
        await asyncio.sleep(0)
        self._reads.check(partition)


def entry_list(
    reads: PartitionReads, show: Callable[[Any], Struct | None], prefix: bytes = b"", start: bytes = b""
) -> PartitionList:
    """The list of the table's entries under a prefix, from the key ``start`` on."""

    def begin(partition: int, position: bytes) -> EntryScan:
        return EntryScan(partial(reads.table.scan, partition, prefix), max(position, start))

    return PartitionList(reads, begin, show)
