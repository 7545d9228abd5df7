"""An event's sales, for its organizer: what they add up to, and page by page."""

from uuid import UUID

from pydantic import Field

from api.schemas.fields import Parameters, Resource
from api.schemas.money import Money
from api.schemas.purchase import Purchase


class PurchasesQuery(Parameters):
    """How many items, and after which."""

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=200, description="the `next` of the page before")


class TypeSales(Resource):
    """What a ticket type has out, and what its sold tickets were worth."""

    ticket_type_id: UUID
    name: str
    held: int
    sold: int
    revenue: Money


class EventSales(Resource):
    """A page of an event's purchases, the newest first; the sums of the whole event come with the first page."""

    event_id: UUID
    ticket_types: list[TypeSales] | None = None
    items: list[Purchase]
    next: str | None = None
