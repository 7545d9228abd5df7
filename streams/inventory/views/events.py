"""The views of events and their stock, and of what an account has of an event."""

from typing import Final
from uuid import UUID

from streams.inventory.views.event_past import EventPast
from streams.inventory.views.moments import query_as_of
from streams.runtime.app import App
from streams.runtime.event_streams import EventStreams
from streams.runtime.partition_lists import PartitionList
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.timer import now_ms
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, query_choice
from tables.ledger.inventory import Inventory
from tables.ledger.records import account_key, decode_account, decode_event, event_key
from tables.ledger.scans import EventScan
from tables.ledger.views import EventView, account_view, event_view
from tables.messages.availability import Availability

EVENTS_PATH: Final = "/api/events/"


class EventViews:
    """Events by id, and all of them in pages."""

    def __init__(self, app: App, reads: PartitionReads, records: RecordReads, past: EventPast) -> None:
        self.reads = reads
        self.records = records
        self._past = past
        self.streams = EventStreams(reads, records)
        add_page(app, "/api/event/{event}/", "event", self.event)
        add_page(app, "/api/event/{event}/stream/", "event_stream", self.stream)
        add_page(app, EVENTS_PATH, "events", self.listed)
        add_page(app, "/api/account/{event}/{account}/", "account", self.account)

    async def event(self, request: Request, event: str) -> Response:
        """Quantity, held, sold and available of an event's ticket types; with ``asOf`` at an earlier moment."""
        key, as_of = path_id(event, "event"), query_as_of(request)
        if as_of is not None:
            return await self._past.answer(request, key, as_of)
        return await self.records.answer(request, self._stock(key))

    async def stream(self, request: Request, event: str) -> Response:
        """Server-sent events: an event's stock, again after each change."""
        return await self.streams.answer(request, self._stock(path_id(event, "event")))

    async def listed(self, request: Request, path: str | None = None) -> Response:
        """All events with their stock; with ``state`` those that have a ticket type in this state.

        ``path`` is where another worker is asked for the page, if not where we were.
        """
        state = query_choice(request, "state", Availability)
        at_ms = now_ms()

        def show(inventory: Inventory) -> EventView | None:
            shown = event_view(inventory, at_ms)
            return shown if state is None or any(each.state == state for each in shown.ticket_types) else None

        return await PartitionList(self.reads, self._scan, show).answer(request, path=path)

    async def account(self, request: Request, event: str, account: str) -> Response:
        """How many tickets of each type an account holds or has bought of an event."""
        key, wanted = path_id(event, "event"), path_id(account, "account")
        home = self.reads.home_of(str(key))
        record = RecordRead(
            home, account_key(key, wanted), lambda value: account_view(key, wanted, decode_account(value))
        )
        return await self.records.answer(request, record)

    def _stock(self, event: UUID) -> RecordRead:
        def show(value: bytes) -> EventView:
            return event_view(Inventory.from_record(event, decode_event(value)), now_ms())

        return RecordRead(self.reads.home_of(str(event)), event_key(event), show)

    def _scan(self, partition: int, position: bytes) -> EventScan:
        return EventScan(*self.reads.access(partition), position)
