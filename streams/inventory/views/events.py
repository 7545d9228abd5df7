"""The views of events and their stock, and of what an account has of an event."""

from functools import partial
from uuid import UUID

from streams.inventory.hold_expiry import now_ms
from streams.runtime.app import App
from streams.runtime.partition_lists import PartitionList
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, query_choice
from tables.ledger.availability import Availability
from tables.ledger.inventory import Inventory
from tables.ledger.records import account_key, decode_account, decode_event, event_key
from tables.ledger.scans import EventScan
from tables.ledger.views import AccountView, EventView, account_view, event_view


class EventViews:
    """Events by id, and all of them in pages."""

    def __init__(self, app: App, reads: PartitionReads) -> None:
        self.reads = reads
        add_page(app, "/api/event/{event}/", "event", self.event)
        add_page(app, "/api/events/", "events", self.events)
        add_page(app, "/api/account/{event}/{account}/", "account", self.account)

    async def event(self, request: Request, event: str) -> Response:
        """Quantity, held, sold and available of an event's ticket types."""
        key = path_id(event, "event")
        partition = self.reads.home_of(str(key))
        return await self.reads.answer(request, partition, partial(self._event, partition, key))

    async def events(self, request: Request) -> Response:
        """All events with their stock; with ``state`` those that have a ticket type in this state."""
        state = query_choice(request, "state", Availability)
        at_ms = now_ms()

        def show(inventory: Inventory) -> EventView | None:
            shown = event_view(inventory, at_ms)
            return shown if state is None or any(each.state == state for each in shown.ticket_types) else None

        return await PartitionList(self.reads, self._scan, show).answer(request)

    async def account(self, request: Request, event: str, account: str) -> Response:
        """How many tickets of each type an account holds or has bought of an event."""
        key, wanted = path_id(event, "event"), path_id(account, "account")
        partition = self.reads.home_of(str(key))
        return await self.reads.answer(request, partition, partial(self._account, partition, key, wanted))

    def _event(self, partition: int, event: UUID) -> EventView | None:
        value = self.reads.table.read(partition, event_key(event))
        return None if value is None else event_view(Inventory.from_record(event, decode_event(value)), now_ms())

    def _account(self, partition: int, event: UUID, account: UUID) -> AccountView | None:
        value = self.reads.table.read(partition, account_key(event, account))
        return None if value is None else account_view(event, account, decode_account(value))

    def _scan(self, partition: int, position: bytes) -> EventScan:
        return EventScan(*self.reads.access(partition), position)
