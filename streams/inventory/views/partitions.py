"""The views of partitions and workers: who owns what, and how far each partition is."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from connect.topics import COMMANDS
from streams.runtime.app import App
from streams.runtime.assignment import (
    active_partitions,
    committed_offset,
    end_offset,
    owner_url,
    standby_partitions,
    worker_urls,
)
from streams.runtime.partition_lists import ListAnswer
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web import Request, Response, add_page, json_response
from streams.runtime.web_parameters import path_partition
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, decode_limits
from tables.messages.commands import LimitHolds


class PartitionView(Struct, frozen=True, rename="camel"):
    """How far a partition is: the next offsets to decide and to commit, the log's end.

    ``changelog`` is the last offset of the table's changelog that is stored, ``holdLimits`` what applies to holds.
    """

    topic: str
    partition: int
    decided: int | None
    committed: int | None
    end: int | None
    lag: int | None
    changelog: int | None
    hold_limits: LimitHolds


class PartitionOwnerView(Struct, frozen=True, rename="camel"):
    """A partition, and the address of the worker that owns it; null while none does."""

    partition: int
    owner: str | None


class WorkerView(Struct, frozen=True, rename="camel"):
    """The worker that answers: by partition, the last changelog offset that it has stored, and all workers."""

    worker: str
    decides: dict[str, int | None]
    stands_by: dict[str, int | None]
    workers: list[str]


class WorkerPartitionsView(Struct, frozen=True, rename="camel"):
    """A worker's address, and the partitions that it owns."""

    worker: str
    partitions: list[int]


class PartitionViews:
    """Partitions and workers."""

    def __init__(self, app: App, reads: PartitionReads, next_offset: Callable[[int], int | None]) -> None:
        self.app = app
        self.reads = reads
        self._next_offset = next_offset
        add_page(app, "/api/partition/{partition}/", "partition", self.partition)
        add_page(app, "/api/partitions/", "partitions", self.partitions)
        add_page(app, "/api/worker/", "worker", self.worker)
        add_page(app, "/api/workers/", "workers", self.workers)

    async def partition(self, request: Request, partition: str) -> Response:
        """How far the owner of a partition has decided, committed and stored it."""
        number = path_partition(partition, self.reads.partitions)
        return await self.reads.answer(request, number, partial(self._partition, number))

    async def partitions(self, request: Request) -> Response:
        """All partitions with their owners."""
        return json_response(ListAnswer(self.owners(), None))

    async def worker(self, request: Request) -> Response:
        """The partitions that this worker owns or keeps copies of, the changelog offset of each, and all workers."""
        name = self.reads.table.name
        owned, copies = active_partitions(self.app, name), standby_partitions(self.app, name)
        return json_response(
            WorkerView(self.app.settings.worker_id, self._marks(owned), self._marks(copies), worker_urls(self.app))
        )

    async def workers(self, request: Request) -> Response:
        """All workers with the partitions that they own."""
        owned: dict[str | None, list[int]] = {url.rstrip("/"): [] for url in worker_urls(self.app)}
        for each in self.owners():
            owned.setdefault(each.owner, []).append(each.partition)
        items = [WorkerPartitionsView(url, numbers) for url, numbers in owned.items() if url is not None]
        return json_response(ListAnswer(items, None))

    def owners(self) -> list[PartitionOwnerView]:
        """The owner of each partition, as far as this worker knows."""
        name, numbers = self.reads.table.name, range(self.reads.partitions)
        return [PartitionOwnerView(number, owner_url(self.app, name, number)) for number in numbers]

    def _partition(self, partition: int) -> PartitionView:
        decided = self._next_offset(partition)
        end = end_offset(self.app, COMMANDS, partition)
        return PartitionView(
            COMMANDS,
            partition,
            decided,
            committed_offset(self.app, COMMANDS, partition),
            end,
            None if end is None else max(0, end - (decided or 0)),
            self.reads.table.mark(partition),
            self._limits(partition),
        )

    def _limits(self, partition: int) -> LimitHolds:
        """The limits on holds that apply."""
        value = self.reads.table.read(partition, HOLD_LIMITS_KEY)
        return decode_limits(value).command()

    def _marks(self, partitions: list[int]) -> dict[str, int | None]:
        """By partition, the last changelog offset that is stored here, or null."""
        table = self.reads.table
        return {str(number): table.mark(number) if table.is_open(number) else None for number in partitions}
