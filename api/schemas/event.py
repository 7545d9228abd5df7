"""Events, with place and time."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Resource
from api.schemas.fields import (
    City,
    Country,
    Latitude,
    Limit,
    Longitude,
    Moment,
    Prose,
    StockQuantity,
    Tags,
    Title,
    VenueText,
    Zone,
    absent,
)
from api.schemas.pagination import PageQuery
from api.schemas.ticket import NewTicketType
from tables.messages.commands import EVENT_MAX_TICKET_TYPES
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EventStatus
from tables.text.time_zones import local_time, zone_of


class EventBody(Body):
    """The data of an event."""

    title: Title
    description: Prose = ""
    venue: VenueText = ""
    city: City = ""
    country: Country | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    tags: Tags = Field(default_factory=list)
    starts_at: Moment
    ends_at: Moment
    time_zone: Zone = Field(examples=["Europe/Berlin"])
    capacity: StockQuantity | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    payment: PaymentMode = PaymentMode.NONE

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise PydanticCustomError("ends_before_start", "endsAt must be later than startsAt", {"field": "endsAt"})
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together or not at all")
        return self


class NewEvent(EventBody):
    """An event to create, with or without ticket types.

    With an ``id`` of its own, a client can repeat the request without creating two events.
    """

    id: UUID | None = None
    organizer_id: UUID | None = None
    status: Literal[EventStatus.DRAFT, EventStatus.ACTIVE] = EventStatus.DRAFT
    ticket_types: list[NewTicketType] = Field(default_factory=list, max_length=EVENT_MAX_TICKET_TYPES)


class EventChange(Body):
    """Changes of an event: a missing field stays as it is, null empties an optional one."""

    title: Title = absent()
    description: Prose = absent()
    venue: VenueText = absent()
    city: City = absent()
    country: Country | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    tags: Tags = absent()
    status: EventStatus = absent()
    starts_at: Moment = absent()
    ends_at: Moment = absent()
    time_zone: Zone = absent()
    capacity: StockQuantity | None = None
    max_per_order: Limit | None = None
    max_per_account: Limit | None = None
    payment: PaymentMode = absent()


class Event(Resource):
    """An event. ``version`` increases with every change of it or of its ticket types."""

    id: UUID
    organizer_id: UUID
    title: str
    description: str = ""
    venue: str = ""
    city: str = ""
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    tags: list[str] = Field(default_factory=list)
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    former_starts_at: datetime | None = Field(None, description="the start before the last postponement")
    time_zone: str
    capacity: int | None = None
    max_per_order: int | None = None
    max_per_account: int | None = None
    payment: PaymentMode = PaymentMode.NONE
    version: int = 1
    created_at: datetime
    updated_at: datetime

    # SQL may have written the row.
    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        zone_of(value)
        return value

    @model_validator(mode="after")
    def _has_local_times(self) -> Self:
        zone = zone_of(self.time_zone)
        for name in ("starts_at", "ends_at", "former_starts_at"):
            try:
                local_time(getattr(self, name) or self.starts_at, zone)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return self


class EventList(Resource):
    """One page of events, the newest first. ``next`` is absent on the last."""

    items: list[Event]
    next: str | None = None


class EventQuery(PageQuery):
    """The events to list."""

    organizer_id: UUID | None = Field(None, description="only this organizer's")
    status: EventStatus | None = Field(None, description="only those of this status")


class StatusChange(Body):
    """The new status of an event."""

    status: EventStatus


class EventName(Resource):
    """An event's name."""

    id: UUID
    name: str


class EventPath(Resource):
    """Which event."""

    event_id: UUID
