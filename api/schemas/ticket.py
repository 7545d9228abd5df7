"""Ticket types of an event: quantity, price, limits and times of sale."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Resource
from api.schemas.fields import Limit, Moment, Money, Position, Price, StockQuantity, Title, absent


class TicketTypeBody(Body):
    """The data of a ticket type."""

    name: Title
    price: Price
    quantity: StockQuantity
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    position: Position = 0

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.sale_starts_at and self.sale_ends_at and self.sale_ends_at <= self.sale_starts_at:
            said = "saleEndsAt must be later than saleStartsAt"
            raise PydanticCustomError("ends_before_start", said, {"field": "saleEndsAt"})
        return self


class TicketTypeChange(Body):
    """Changes of a ticket type: a missing field stays as it is, null empties an optional one."""

    name: Title = absent()
    price: Price = absent()
    quantity: StockQuantity = absent()
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    position: Position = absent()


class NewTicketType(TicketTypeBody):
    """A ticket type to create. With an ``id`` of its own, a client can repeat the request safely."""

    id: UUID | None = None


class TicketType(Resource):
    """A ticket type."""

    id: UUID
    event_id: UUID
    name: str
    price: Money
    quantity: int
    sale_starts_at: datetime | None = None
    sale_ends_at: datetime | None = None
    max_per_order: int | None = None
    max_per_account: int | None = None
    position: int = 0
    version: int = 1
    created_at: datetime
    updated_at: datetime


class TicketTypeList(Resource):
    """An event's ticket types, all of them, in their order."""

    items: list[TicketType]
    next: str | None = None


class TicketPath(Resource):
    """Which ticket type."""

    ticket_id: UUID
