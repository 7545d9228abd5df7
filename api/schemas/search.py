"""Search queries, and pages of found events."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from api.problems import wrong
from api.schemas.base import Parameters, Resource
from api.schemas.fields import Amount, City, CurrencyCode, Money, Tag, Words, as_day, as_moment
from tables.messages.availability import Tickets
from tables.messages.statuses import EventStatus

FILTER_MAX_VALUES: Final = 20
RADIUS_KM: Final = 25.0


class Sort(StrEnum):
    """The order of the events. A minus reverses it."""

    RELEVANCE = "relevance"
    DATE = "date"
    LATEST = "-date"
    PRICE = "price"
    DEAREST = "-price"
    DISTANCE = "distance"


def _day_or_moment(value: Any) -> Any:
    """A day is in the event's time zone; a time has an offset."""
    if isinstance(value, str) and len(value) == len("2030-05-17"):
        return as_day(value)
    return as_moment(value)


def _published(value: EventStatus) -> EventStatus:
    if value is EventStatus.DRAFT:
        raise ValueError("drafts are not found by a search")
    return value


def _near(value: str) -> str:
    try:
        latitude, longitude = point(value)
    except ValueError as error:
        raise ValueError("must be latitude and longitude, like 48.2,16.37") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("must be a latitude of -90 to 90 and a longitude of -180 to 180")
    return value


def point(near: str) -> tuple[float, float]:
    """Latitude and longitude. Raises ValueError."""
    latitude, longitude = near.split(",")
    return float(latitude), float(longitude)


When = Annotated[AwareDatetime | date, BeforeValidator(_day_or_moment)]
Published = Annotated[EventStatus, AfterValidator(_published)]
Near = Annotated[str, Field(max_length=50), AfterValidator(_near)]


def _several(what: str) -> Any:
    return Field(default_factory=list, max_length=FILTER_MAX_VALUES, description=f"{what}; several mean any of them")


class SearchQuery(Parameters):
    """Words to search for, and filters. Without words, all events by date."""

    q: Words = Field("", description="words of title, description, venue, city, organizer and tags")
    city: list[City] = _several("a city's name; case and accents do not count")
    tag: list[Tag] = _several("a tag; case and accents do not count")
    status: list[Published] = _several("a status; drafts are never found")
    availability: list[Tickets] = _several("whether tickets can be had")
    start: When | None = Field(
        None, alias="from", description="events that end on that day or later, or after that moment"
    )
    end: When | None = Field(
        None, alias="to", description="events that begin on that day or earlier, or before that moment"
    )
    upcoming: bool = Field(False, description="only events that have not ended")
    min_price: Amount | None = Field(None, description="the least price from; wants `currency`")
    max_price: Amount | None = Field(None, description="the greatest price from; wants `currency`")
    currency: CurrencyCode | None = Field(None, description="events whose prices are in it")
    near: Near | None = Field(None, description="events around there: latitude,longitude, like 48.2,16.37")
    radius: float = Field(RADIUS_KM, gt=0, le=20_000, allow_inf_nan=False, description="of `near`, in km")
    sort: Sort | None = Field(None, description="by relevance where there are words, else by date")
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=1000, description="the `next` of the page before")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        given = self.model_fields_set
        if self.currency is None and (given & {"min_price", "max_price"} or self.sort in (Sort.PRICE, Sort.DEAREST)):
            raise wrong("?currency", "is needed to compare prices")
        if self.near is None and ("radius" in given or self.sort is Sort.DISTANCE):
            raise wrong("?near", "is needed to measure distances")
        return self

    @property
    def order(self) -> Sort:
        """The order of the events."""
        return self.sort or (Sort.RELEVANCE if self.q else Sort.DATE)

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude of ``near``."""
        return None if self.near is None else point(self.near)


class SuggestQuery(Parameters):
    """What was typed so far."""

    q: Words = Field("", description="nothing is suggested before there is a letter")
    limit: int = Field(8, ge=1, le=20)


class Point(Resource):
    """A geographical point."""

    lat: float
    lon: float


class FoundTicketType(Resource):
    """A ticket type, and how many its quantity and the event's capacity left about a second ago."""

    id: str
    name: str
    price: Money
    quantity: int
    available: int


class Highlights(Resource):
    """Fields with matches, as escaped HTML with ``<em>`` around each match."""

    title: str | None = None
    description: str | None = None
    venue: str | None = None
    city: str | None = None
    organizer: str | None = None


class FoundEvent(Resource):
    """An event in the search index, moments after a change. ``startsLocal`` is in ``timeZone``."""

    model_config = ConfigDict(extra="ignore")

    id: str
    title: str
    description: str = ""
    venue: str = ""
    city: str = ""
    country: str | None = None
    tags: list[str] = Field(default_factory=list)
    status: str
    starts_at: str
    ends_at: str | None = None
    starts_local: str | None = None
    ends_local: str | None = None
    time_zone: str | None = None
    organizer_id: str | None = None
    organizer: str = ""
    location: Point | None = None
    price_from: Money | None = None
    availability: str | None = Field(None, description="as of now: sale periods, capacity and the event's end count")
    ticket_types: list[FoundTicketType] = Field(default_factory=list)
    distance_km: float | None = Field(None, description="from `near`")
    highlights: Highlights | None = None


class Count(Resource):
    """A value and the number of events with it, as if its own filter were not set."""

    value: str
    count: int


class Facets(Resource):
    """Values of the found events, with their numbers."""

    city: list[Count]
    tag: list[Count]
    status: list[Count]
    availability: list[Count]
    currency: list[Count]


class FoundEvents(Resource):
    """One page. ``next`` is absent on the last; ``total`` (up to 10000) and ``facets`` are on the first."""

    items: list[FoundEvent]
    total: int | None = None
    facets: Facets | None = None
    next: str | None = None


class Suggestion(Resource):
    """A suggestion for the typed words. An event's title has its ``id``."""

    text: str
    kind: Literal["event", "city", "venue", "tag", "organizer"]
    id: str | None = None


class Suggestions(Resource):
    """The most likely first."""

    items: list[Suggestion]
