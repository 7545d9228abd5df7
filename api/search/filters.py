"""Filters of a search: public events, and what the visitor chose."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from api.schemas.search import SearchQuery
from tables.messages.availability import Tickets
from tables.messages.statuses import EventStatus
from tables.text.folding import fold

Json = dict[str, Any]

_VISIBLE: Final = [status.value for status in EventStatus if status is not EventStatus.DRAFT]
# A list of what may be found, so that a new status is not found by accident.
PUBLIC: Final[Json] = {"bool": {"filter": [{"term": {"deleted": False}}, {"terms": {"status": _VISIBLE}}]}}


def facet_filters(asked: SearchQuery, at_ms: int) -> dict[str, Json]:
    """The filters that belong to a facet, by its name. The availability is that of ``at_ms``."""
    chosen = {
        "city": {"terms": {"keys.city": [fold(each) for each in asked.city]}} if asked.city else None,
        "tag": {"terms": {"keys.tags": [fold(each) for each in asked.tag]}} if asked.tag else None,
        "status": {"terms": {"status": list(asked.status)}} if asked.status else None,
        "availability": _any([on_sale(each, at_ms) for each in asked.availability]) if asked.availability else None,
        "currency": {"term": {"priceFrom.currency": asked.currency}} if asked.currency else None,
    }
    return {name: clause for name, clause in chosen.items() if clause is not None}


def on_sale(tickets: Tickets, at_ms: int) -> Json:
    """Events whose tickets are in that state at ``at_ms``."""
    return {"term": {f"sale.{tickets}": at_ms}}


def _any(clauses: list[Json]) -> Json:
    return {"bool": {"should": clauses}}


def range_filters(asked: SearchQuery) -> list[Json]:
    """The filters by time, price and place."""
    ranges = [_when("ends", "gt", asked.start, 0), _when("starts", "lt", asked.end, 1)]
    if asked.upcoming:
        ranges.append({"range": {"endsAt": {"gt": "now"}}})
    price = {name: value for name, value in (("gte", asked.min_price), ("lte", asked.max_price)) if value is not None}
    if price:
        ranges.append({"range": {"priceFrom.amount": price}})
    if asked.place is not None:
        latitude, longitude = asked.place
        place = {"lat": latitude, "lon": longitude}
        ranges.append({"geo_distance": {"distance": f"{asked.radius}km", "location": place}})
    return [clause for clause in ranges if clause is not None]


def _when(edge: str, than: str, when: date | datetime | None, days: int) -> Json | None:
    """A day is in the event's time zone, and is part of the range as a whole."""
    if when is None:
        return None
    if isinstance(when, datetime):
        return {"range": {f"{edge}At": {than: when.isoformat()}}}
    try:
        day = when + timedelta(days=days)
    except OverflowError:
        return None
    return {"range": {f"{edge}Local": {than: day.isoformat()}}}
