"""Search: what was asked, and the page of events that answers it."""

from pydantic import ConfigDict, Field

from api.bodies.fields import Parameters, Resource, Words


class SearchQuery(Parameters):
    """Words to look for in title, description, venue, city and tags; without words, all events by date."""

    q: Words = ""
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=1000, description="the `next` of the page before")


class Point(Resource):
    """A point on the map."""

    lat: float
    lon: float


class FoundEvent(Resource):
    """An event as the search index knows it, moments after the change."""

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
    time_zone: str | None = None
    organizer_id: str | None = None
    location: Point | None = None


class FoundEvents(Resource):
    """One page. ``next`` is absent on the last."""

    items: list[FoundEvent]
    next: str | None = None
