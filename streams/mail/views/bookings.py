"""The views of the table ``bookings``: a booking, and all of them in pages."""

from typing import Final

from streams.runtime.app import App
from streams.runtime.partition_lists import entry_list
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, query_event
from tables.bookings.records import PURCHASE_MARK, REMINDERS_PREFIX, booking_key, booking_prefix, decode_booking
from tables.bookings.views import BookingView, booking_view

BOOKINGS_PATH: Final = "/api/bookings/"
# Behind the index of reminders.
START: Final = REMINDERS_PREFIX + b"\xff"


class BookingViews:
    """Bookings by id, and in pages."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self._reads = PartitionReads(app, table)
        self._records = RecordReads(self._reads)
        add_page(app, "/api/booking/{event}/{purchase}/", "booking", self.booking)
        add_page(app, BOOKINGS_PATH, "bookings", self.listed)

    async def booking(self, request: Request, event: str, purchase: str) -> Response:
        of_event = path_id(event, "event")
        key = booking_key(of_event, path_id(purchase, "purchase"))
        home = self._reads.home_of(str(of_event))
        record = RecordRead(home, key, lambda value: booking_view(key, decode_booking(value)))
        return await self._records.answer(request, record)

    async def listed(self, request: Request, path: str | None = None) -> Response:
        """The bookings, with ``event`` those of one event.

        ``path`` is where another worker is asked for the page, if not where we were.
        """
        event = query_event(request)
        prefix = b"" if event is None else booking_prefix(event)
        home = None if event is None else self._reads.home_of(str(event))
        return await entry_list(self._reads, _show, prefix, prefix or START).answer(request, home, path)


def _show(entry: tuple[bytes, bytes]) -> BookingView | None:
    """None for the notes on events."""
    key, value = entry
    return booking_view(key, decode_booking(value)) if key[16:17] == PURCHASE_MARK else None
