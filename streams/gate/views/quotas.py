"""The view of the table ``gate``: how far each producer's requests were checked, and when its quota is free again."""

from functools import partial
from typing import Any, Final

from streams.runtime.app import App
from streams.runtime.partition_lists import EntryScan, PartitionList
from streams.runtime.partition_reads import PartitionReads, Scan
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, add_page
from tables.gate.records import QUOTA_MARK
from tables.gate.views import quota_view

QUOTAS_PATH: Final = "/api/quotas/"


class QuotaScan(EntryScan):
    """Goes through the quotas of a partition."""

    def __init__(self, partition: int, scan: Scan, position: bytes) -> None:
        super().__init__(scan, position)
        self._partition = partition

    def step(self) -> Any:
        """The view of the next quota; None at the end."""
        found = super().step()
        return None if found is None else quota_view(self._partition, *found)


class QuotaViews:
    """The quotas of all producers, in pages."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self._reads = PartitionReads(app, table)
        add_page(app, QUOTAS_PATH, "quotas", self.listed)

    async def listed(self, request: Request, path: str | None = None) -> Response:
        """The page of the list; ``path`` is where another worker is asked for it, if not where we were."""

        def begin(partition: int, position: bytes) -> QuotaScan:
            return QuotaScan(partition, partial(self._reads.table.scan, partition, QUOTA_MARK), position)

        return await PartitionList(self._reads, begin).answer(request, path=path)
