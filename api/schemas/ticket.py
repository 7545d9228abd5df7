"""Ticket types: what is sold of an event, how many, for how much and until when."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import model_validator

from api.schemas.fields import Body, Limit, Moment, Position, Resource, Stock, Title, absent
from api.schemas.money import Money, Price

MOST_TICKET_TYPES: Final = 200


class TicketTypeBody(Body):
    """A ticket type as it is to be."""

    name: Title
    price: Price
    quantity: Stock
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    position: Position = 0

    @model_validator(mode="after")
    def _window_is_open_for_a_while(self) -> Self:
        if self.sale_starts_at and self.sale_ends_at and self.sale_ends_at <= self.sale_starts_at:
            raise ValueError("saleEndsAt must be later than saleStartsAt")
        return self


class TicketTypeChange(Body):
    """What is to change of a ticket type; what is left out stays, null empties what may be empty."""

    name: Title = absent()
    price: Price = absent()
    quantity: Stock = absent()
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    position: Position = absent()


class NewTicketType(TicketTypeBody):
    """A ticket type to be made. ``id`` may be the client's own, so that making it twice is noticed."""

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
