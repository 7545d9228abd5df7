"""An event's sales, for its organizer: totals, and purchases page by page."""

from uuid import UUID

from pydantic import Field

from api.schemas.base import Resource
from api.schemas.fields import Money
from api.schemas.pagination import PageQuery
from api.schemas.purchase import Purchase


class PurchasesQuery(PageQuery):
    """The size of a page, and where it begins."""

    cursor: str | None = Field(None, max_length=200, description="the `next` of the page before")


class TypeSales(Resource):
    """How many tickets of a type are held and sold, and the revenue of the sold ones."""

    ticket_type_id: UUID
    name: str
    held: int
    sold: int
    revenue: Money


class PaymentTotals(Resource):
    """Of what is paid online in one currency: the worth of the sold tickets, and what a provider captured and refunded.

    What the organizer took elsewhere is part of ``sold`` alone. ``payout`` is captured less refunded and the provider's
    ``fees``.
    """

    sold: Money
    captured: Money
    refunded: Money
    goodwill: Money
    fees: Money
    payout: Money
    disputed: int


class EventSales(Resource):
    """A page of an event's purchases, newest first. The first page has the totals of the event."""

    event_id: UUID
    ticket_types: list[TypeSales] | None = None
    payments: list[PaymentTotals] | None = None
    items: list[Purchase]
    next: str | None = None
