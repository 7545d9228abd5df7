"""The body of a search: query, filters, sort, facets."""

import secrets
from typing import Any, Final

from api.schemas.search import SearchQuery, Sort
from api.search.filters import PUBLIC, facet_filters, on_sale, range_filters
from api.search.words import matching
from tables.messages.availability import Tickets

Json = dict[str, Any]

# The facets of a field's values; the availability is a facet too.
FACETS: Final = {
    "city": "city",
    "tag": "tags",
    "status": "status",
    "currency": "priceFrom.currency",
}
FACET_MAX_VALUES: Final = 30
TOTAL_MAX_HITS: Final = 10_000
MARKED: Final = ("title", "description", "venue", "city", "organizer")
# Put around what was found. They can't be guessed, since texts may contain any characters.
MARK, END = (f"{edge}{secrets.token_hex(8)}" for edge in "\ue000\ue001")
_INNER: Final = ["folded", "keys", "deleted"]


def body(asked: SearchQuery, after: list[Any] | None, at_ms: int) -> Json:
    """The body for Elasticsearch, with the availability of ``at_ms``.

    It asks for one hit more than the page has, to know whether another page follows.
    """
    words = matching(asked.q)
    chosen = facet_filters(asked, at_ms)
    asks: Json = {
        "size": asked.limit + 1,
        "query": {"bool": {"filter": [PUBLIC, *range_filters(asked)], "must": words or _nothing(asked.q)}},
        "sort": order(asked),
        "track_scores": False,
        "track_total_hits": TOTAL_MAX_HITS if after is None else False,
        "source_excludes": _INNER,
    }
    if chosen:
        asks["post_filter"] = _all(list(chosen.values()))
    if words:
        asks["highlight"] = highlight(asked.q)
    if after is None:
        asks["aggs"] = {name: _counts(name, _values(field), chosen) for name, field in FACETS.items()}
        states = {each.value: on_sale(each, at_ms) for each in Tickets}
        asks["aggs"]["availability"] = _counts("availability", {"filters": {"filters": states}}, chosen)
    else:
        asks["search_after"] = after
    return asks


def _nothing(q: str) -> list[Json]:
    """What is typed but has no word finds nothing."""
    return [{"match_none": {}}] if q else []


def order(asked: SearchQuery) -> list[Json]:
    """The sort of the page. The id makes it total, so that a page begins where the one before ended."""
    by: dict[Sort, Json] = {
        Sort.RELEVANCE: {"_score": "desc"},
        Sort.DATE: {"startsAt": "asc"},
        Sort.LATEST: {"startsAt": "desc"},
        Sort.PRICE: {"priceFrom.amount": {"order": "asc", "missing": "_last"}},
        Sort.DEAREST: {"priceFrom.amount": {"order": "desc", "missing": "_last"}},
    }
    if asked.order is Sort.DISTANCE:
        return [distance(*(asked.place or (0.0, 0.0))), {"id": "asc"}]
    return [by[asked.order], {"id": "asc"}]


def distance(latitude: float, longitude: float) -> Json:
    """The sort by distance from a point, in km."""
    return {"_geo_distance": {"location": {"lat": latitude, "lon": longitude}, "order": "asc", "unit": "km"}}


def highlight(q: str) -> Json:
    """Short fragments are enough: the original texts are marked by them (api/search/marking.py).

    Mistyped words are not marked: to find them again in every text costs several times the search.
    """
    return {
        "pre_tags": [MARK],
        "post_tags": [END],
        "fields": {f"folded.{name}": {} for name in MARKED},
        "highlight_query": {"bool": {"must": matching(q, forgiving=False)}},
        "fragment_size": 200,
        "number_of_fragments": 3,
    }


def _values(field: str) -> Json:
    return {"terms": {"field": field, "size": FACET_MAX_VALUES, "order": [{"_count": "desc"}, {"_key": "asc"}]}}


def _counts(name: str, values: Json, chosen: dict[str, Json]) -> Json:
    """The values of a facet among the events that match all other filters."""
    others = [clause for each, clause in chosen.items() if each != name]
    return {"filter": _all(others), "aggs": {"values": values}}


def _all(clauses: list[Json]) -> Json:
    return {"bool": {"filter": clauses}}
