"""Purchases as they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.auth.tokens import MaySee
from api.ports.sales import Curve, Left, Reached
from api.problems import Unavailable
from api.schemas.purchase import Purchase, PurchaseList
from api.schemas.sales import EventSales, PaymentTotals, TypeSales


@dataclass
class FakeSales:
    """Purchases by event and purchase; the totals and the rows of any event."""

    rows: dict[tuple[UUID, UUID], Purchase] = field(default_factory=dict)
    types: list[TypeSales] = field(default_factory=list)
    table: list[tuple[object, ...]] = field(default_factory=list)
    payments: list[PaymentTotals] = field(default_factory=list)
    down: bool = False

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        found = self.rows.get((event, purchase))
        is_own = found is not None and found.account_id is not None and may_see(found.account_id)
        if self.down and not is_own:
            raise Unavailable("worker")
        return found if is_own else None

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        return PurchaseList(items=[row for row in self.rows.values() if row.account_id == account][:limit])

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        items = [row for row in self.rows.values() if row.event_id == event][:limit]
        return EventSales(event_id=event, payments=self.payments, ticket_types=self.types, items=items)

    def payments_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        yield ("purchase", "captured")
        yield from self.table

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        yield ("purchase", "name")
        yield from self.table


@dataclass
class FakeAttendance:
    """So many people, and rows of any event's attendees."""

    reach: Reached = field(default_factory=lambda: Reached(0, 0))
    grown: Curve | None = None
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def reached(self, event: UUID) -> Reached:
        return self.reach

    def curve(self, event: UUID) -> Curve | None:
        return self.grown

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        yield ("lastName", "firstName")
        yield from self.rows


@dataclass
class FakeStock:
    """Events and ticket types that were bought."""

    bought: set[UUID] = field(default_factory=set)
    out: set[UUID] = field(default_factory=set)
    shelves: dict[UUID, Left] | None = field(default_factory=dict)

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        return (ticket or event) in self.bought

    def is_out(self, event: UUID, ticket: UUID | None = None) -> bool:
        return (ticket or event) in self.out

    def left(self, event: UUID) -> dict[UUID, Left] | None:
        return self.shelves
