"""The views of the table ``payments``: a payment, and all of them in pages."""

from typing import Final

from streams.runtime.app import App
from streams.runtime.partition_lists import entry_list
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, query_event
from tables.payments.records import PAYMENT_MARK, decode_payment, payment_key
from tables.payments.views import PaymentView, payment_view

PAYMENTS_PATH: Final = "/api/payments/"


class PaymentViews:
    """Payments by id, and in pages."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self._reads = PartitionReads(app, table)
        self._records = RecordReads(self._reads)
        add_page(app, "/api/payment/{event}/{purchase}/", "payment", self.payment)
        add_page(app, PAYMENTS_PATH, "payments", self.listed)

    async def payment(self, request: Request, event: str, purchase: str) -> Response:
        of_purchase = path_id(purchase, "purchase")
        key = payment_key(path_id(event, "event"), of_purchase)
        home = self._reads.home_of(str(of_purchase))
        record = RecordRead(home, key, lambda value: payment_view(key, decode_payment(value)))
        return await self._records.answer(request, record)

    async def listed(self, request: Request, path: str | None = None) -> Response:
        """The payments, with ``event`` those of one event.

        ``path`` is where another worker is asked for the page, if not where we were.
        """
        event = query_event(request)
        prefix = PAYMENT_MARK if event is None else PAYMENT_MARK + event.bytes
        return await entry_list(self._reads, _show, prefix).answer(request, path=path)


def _show(entry: tuple[bytes, bytes]) -> PaymentView:
    key, value = entry
    return payment_view(key, decode_payment(value))
