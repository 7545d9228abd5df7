"""The views of purchases: one with its history, which of some are on record, and those of an account."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from msgspec.structs import replace

from streams.inventory.views.moments import query_as_of, reached
from streams.runtime.app import App
from streams.runtime.partition_lists import PartitionList
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, query_event
from tables.ledger.records import decode_purchase, purchase_key
from tables.ledger.view_scans import PurchaseScan
from tables.ledger.views import LogPlaceView, PurchaseView, purchase_view


class PurchaseViews:
    """Purchases by id, and those of an account in pages."""

    def __init__(
        self, app: App, reads: PartitionReads, records: RecordReads, next_offset: Callable[[int], int | None]
    ) -> None:
        self.reads = reads
        self.records = records
        self._next_offset = next_offset
        add_page(app, "/api/purchase/{event}/{purchase}/", "purchase", self.purchase)
        add_page(app, "/api/purchases/{event}/{purchases}/", "purchases", self.purchases)
        add_page(app, "/api/accounts/{account}/purchases/", "account_purchases", self.account_purchases)

    async def purchase(self, request: Request, event: str, purchase: str) -> Response:
        """A purchase with its history; with ``asOf`` as it was at an earlier moment, which the history tells."""
        key, wanted, as_of = path_id(event, "event"), path_id(purchase, "purchase"), query_as_of(request)
        home = self.reads.home_of(str(key))

        def show(value: bytes) -> PurchaseView | None:
            record = decode_purchase(value)
            if as_of is None:
                return purchase_view(key, wanted, record)
            reached(as_of, self._next_offset(home))
            then = as_of.of_purchase(record)
            return None if then is None else _with_place(purchase_view(key, wanted, then))

        return await self.records.answer(request, RecordRead(home, purchase_key(key, wanted), show))

    async def purchases(self, request: Request, event: str, purchases: str) -> Response:
        """Which of some purchases are on record; ``purchases`` are their ids as hex digits, separated by commas."""
        key, wanted = path_id(event, "event"), [path_id(text, "purchase") for text in purchases.split(",")]
        partition = self.reads.home_of(str(key))
        return await self.reads.answer(request, partition, partial(self._on_record, partition, key, wanted))

    async def account_purchases(self, request: Request, account: str) -> Response:
        """The purchases of an account: of one ``event``, or of all in which it ever got tickets."""
        wanted, event = path_id(account, "account"), query_event(request)

        def scan(partition: int, position: bytes) -> PurchaseScan:
            return PurchaseScan(*self.reads.access(partition), wanted, event, position)

        home = None if event is None else self.reads.home_of(str(event))
        return await PartitionList(self.reads, scan).answer(request, home)

    def _on_record(self, partition: int, event: UUID, purchases: list[UUID]) -> list[str]:
        read = self.reads.table.read
        return [one.hex for one in purchases if read(partition, purchase_key(event, one)) is not None]


def _with_place(purchase: PurchaseView) -> PurchaseView:
    last = purchase.history[-1]
    return replace(purchase, as_of=LogPlaceView(last.offset, last.at))
