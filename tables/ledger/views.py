"""What the workers' web views show of the ledger's records. In JSON the fields have camelCase names."""

from decimal import Decimal
from typing import Any
from uuid import UUID
from zlib import crc32

from msgspec import UNSET, Struct, UnsetType

from tables.ledger.availability import availability, available, room_of
from tables.ledger.inventory import Inventory
from tables.ledger.purchase_records import PurchaseRecord, SeatedPurchase
from tables.ledger.purchase_state import paid_worth, returned_tickets, state_of
from tables.ledger.records import AccountRecord
from tables.ledger.seat_views import seats_by_type
from tables.messages.availability import Availability
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus, PurchaseStatus


class LogPlaceView(Struct, frozen=True, rename="camel"):
    """The last command up to the moment that a view is of: its offset, and the time (ms) at which it was appended."""

    offset: int
    at: int


class TicketTypeView(Struct, frozen=True, rename="camel"):
    """The stock of one ticket type; ``overcommitted`` if more are out than its quantity, which was lowered.

    ``available`` is bounded by the type's quantity and by the event's capacity.
    """

    ticket_type: UUID
    name: str
    quantity: int
    held: int
    sold: int
    available: int
    overcommitted: bool
    state: Availability


class EventView(Struct, frozen=True, rename="camel"):
    """The stock of an event after the command at ``offset``; ``version`` is that of its definition.

    ``asOf`` where an earlier moment was asked for: the last command of the partition up to then.
    """

    event: UUID
    version: int
    offset: int
    title: str
    status: EventStatus
    ticket_types: list[TicketTypeView]
    as_of: LogPlaceView | UnsetType = UNSET

    @property
    def revision(self) -> str:
        """Differs where anything differs: the states change with time, all else at an offset."""
        return f"{self.offset}-{crc32(','.join(each.state for each in self.ticket_types).encode()):08x}"


class TicketCountView(Struct, frozen=True, rename="camel"):
    """The number of tickets of one type that an account holds or has bought."""

    ticket_type: UUID
    count: int


class AccountView(Struct, frozen=True, rename="camel"):
    """The tickets that an account has of an event; ``held`` of the ``total`` are not confirmed."""

    event: UUID
    account: UUID
    offset: int
    total: int
    held: int
    ticket_types: list[TicketCountView]

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return str(self.offset)


class PurchaseLineView(Struct, frozen=True, rename="camel"):
    """Tickets of one type in a purchase, the price of one, and their seats, if they have any."""

    ticket_type: UUID
    name: str
    quantity: int
    price: Decimal
    seats: list[str] | UnsetType = UNSET


class DecisionView(Struct, frozen=True, rename="camel"):
    """A decision on a purchase: the offset and the time (ms) of its command, and its kind."""

    offset: int
    at: int
    kind: OutcomeKind


class PurchaseView(Struct, frozen=True, rename="camel"):
    """A purchase with its history; ``deadline`` (ms) of a hold, ``reason`` and ``figures`` of a refusal.

    ``payment`` is what a purchase that is paid online is worth now, ``reference`` that of the payment with which it was
    confirmed. ``returned`` is how many tickets were given back, where others are left.

    ``asOf`` where an earlier moment was asked for: the last command up to then that changed the purchase.
    """

    event: UUID
    purchase: UUID
    account: UUID
    status: PurchaseStatus
    reason: Reason | None
    figures: dict[str, Any]
    currency: str
    deadline: int | None
    lines: list[PurchaseLineView]
    history: list[DecisionView]
    payment: Decimal | None = None
    reference: str | None = None
    returned: int = 0
    as_of: LogPlaceView | UnsetType = UNSET

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return str(self.history[-1].offset)


class HoldView(Struct, frozen=True, rename="camel", order=True):
    """An open hold: the time (ms) at which it ends, and the purchase."""

    deadline: int
    event: UUID
    purchase: UUID


def event_view(inventory: Inventory, at: int) -> EventView:
    """An event at ``at`` (ms)."""
    definition, room = inventory.definition, room_of(inventory)
    types = [
        TicketTypeView(
            stock.definition.id,
            stock.definition.name,
            stock.quantity,
            stock.held,
            stock.sold,
            available(stock, room),
            stock.held + stock.sold > stock.quantity,
            availability(definition.status, stock, at, room),
        )
        for stock in inventory.stock.values()
    ]
    return EventView(inventory.id, inventory.version, inventory.offset, definition.title, definition.status, types)


def account_view(event: UUID, account: UUID, record: AccountRecord) -> AccountView:
    """An account's tickets of one event."""
    total = sum(count for _, count in record.counts)
    held = record.holding.held if record.holding else 0
    counts = [TicketCountView(key, count) for key, count in record.counts]
    return AccountView(event, account, record.offset, total, held, counts)


def purchase_view(event: UUID, purchase: UUID, record: PurchaseRecord) -> PurchaseView:
    """A purchase."""
    now = state_of(record)
    seats = seats_by_type(record) if isinstance(record, SeatedPurchase) else {}
    last = next(decision for decision in reversed(record.history) if decision.kind is not OutcomeKind.REFUSED)
    return PurchaseView(
        event,
        purchase,
        record.account,
        now.status,
        record.reason_of(last),
        last.figures,
        record.currency,
        now.deadline,
        [
            PurchaseLineView(line.ticket_type, line.name, line.quantity, line.price, seats.get(line.ticket_type, UNSET))
            for line in now.lines
        ],
        [DecisionView(decision.offset, decision.at, decision.kind) for decision in record.history],
        paid_worth(record, now),
        next((decision.payment for decision in record.history if decision.payment), None),
        returned_tickets(record),
    )
