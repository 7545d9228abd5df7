"""The mapping of the search index, and the document of a row.

Accents are folded here, not by an analyzer: the embedded node only has the standard one. Nothing else in the mapping
needs more than a plain node either.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from math import isfinite
from typing import Any, Final

from tables.errors import MalformedRecord
from tables.messages.availability import Tickets
from tables.messages.row_changes import EventRow
from tables.offers import EventOffer, SalePeriod, cheapest, decode_offers, decode_stock
from tables.text.folding import fold, words
from tables.text.time_zones import local_time, zone_of

ALIAS: Final = "events"
# Increment it with every change of the mapping or the documents: a worker only writes to an index of its version.
VERSION: Final = 6

# The score of an event depends on the query and the event alone, not on how often all others have a word ("boolean"):
# otherwise any change of the index would move the place where the next page begins.
_TEXT: Final = {
    "type": "text",
    "analyzer": "standard",
    "similarity": "boolean",
    "index_prefixes": {"min_chars": 1, "max_chars": 10},
}
# Of a long text the prefixes are most of what is indexed. Longer ones, of which there are few, are found by the words.
_LONG_TEXT: Final = _TEXT | {"index_prefixes": {"min_chars": 2, "max_chars": 4}}
_KEYWORD: Final = {"type": "keyword", "ignore_above": 512}
_STORED: Final = {"type": "keyword", "index": False, "doc_values": False}
_MILLISECONDS: Final = {"type": "date_range", "format": "epoch_millis"}
_NOT_SEARCHED: Final = {"type": "object", "enabled": False}

FOLDED: Final = ("title", "description", "venue", "city", "organizer", "tags")

_PROPERTIES: Final[dict[str, Any]] = {
    "id": _KEYWORD,
    "deleted": {"type": "boolean"},
    "title": _STORED,
    "description": _STORED,
    "venue": _KEYWORD,
    "city": _KEYWORD,
    "country": _KEYWORD,
    "tags": _KEYWORD,
    "status": _KEYWORD,
    "startsAt": {"type": "date"},
    "endsAt": {"type": "date"},
    "startsLocal": {"type": "date"},
    "endsLocal": {"type": "date"},
    "timeZone": _KEYWORD,
    "organizerId": _KEYWORD,
    "organizer": _KEYWORD,
    "location": {"type": "geo_point"},
    "priceFrom": {"properties": {"amount": {"type": "double"}, "currency": _KEYWORD}},
    # By state of the tickets: when they are in it, if none is sold or given back.
    "sale": {"properties": dict.fromkeys(Tickets, _MILLISECONDS)},
    "ticketTypes": _NOT_SEARCHED,
    # For full-text search; for the search by a whole title, and for filters on city and tag.
    "folded": {"properties": dict.fromkeys(FOLDED, _TEXT) | {"description": _LONG_TEXT}},
    "keys": {"properties": dict.fromkeys(("title", "city", "tags"), _KEYWORD)},
}


def index_body(floor: int) -> dict[str, Any]:
    """Settings and mapping of an index that is built from WAL position ``floor``."""
    return {
        # Explicit: otherwise a node stops refreshing an idle index, and the next search waits for a refresh.
        "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "200ms"},
        "mappings": {
            "_meta": {"version": VERSION, "floor": floor},
            "dynamic": "strict",
            "properties": _PROPERTIES,
        },
    }


def document(row: EventRow) -> dict[str, Any]:
    """The document of an event; a marker for a deleted one. Raises MalformedRecord where the row can't be indexed."""
    if row.is_delete:
        return marker(row)
    return _facts(row) | _times(row) | _tickets(row) | _location(row)


def marker(row: EventRow) -> dict[str, Any]:
    """A document that can't be found, whose version blocks older changes of a deleted event."""
    return {"id": str(row.id), "deleted": True}


def _facts(row: EventRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) or "" for name in ("title", "description", "venue", "city")}
    tags = row.tags or []
    organizer = row.organizer_name.strip()  # of one name, it ends with a space
    searched = shown | {"organizer": organizer}
    return shown | {
        "id": str(row.id),
        "deleted": False,
        "country": row.country or "",
        "tags": tags,
        "status": row.status,
        "organizerId": str(row.organizer_id),
        "organizer": organizer,
        "folded": {name: _searched(text) for name, text in searched.items()} | {"tags": list(map(_searched, tags))},
        "keys": {"title": _searched(shown["title"]), "city": fold(shown["city"]), "tags": [fold(tag) for tag in tags]},
    }


def _searched(text: str) -> str:
    """A text as its words, so that the analyzer has no others than those of a query."""
    return " ".join(words(text))


def _location(row: EventRow) -> dict[str, Any]:
    if row.latitude is None or row.longitude is None:
        return {}
    # NaN passes bounds.
    if not (isfinite(row.latitude) and isfinite(row.longitude)):
        raise MalformedRecord("a place has finite coordinates: `$.latitude`, `$.longitude`")
    return {"location": {"lat": row.latitude, "lon": row.longitude}}


def _times(row: EventRow) -> dict[str, Any]:
    zone = _zone(row.time_zone)
    if row.starts_at is None:
        raise MalformedRecord("an event has to begin: `$.starts_at`")
    made: dict[str, Any] = {"timeZone": row.time_zone}
    for name, moment in (("starts", row.starts_at), ("ends", row.ends_at)):
        if moment is not None:
            made[f"{name}At"] = _at(moment, UTC, name).isoformat().replace("+00:00", "Z")
            made[f"{name}Local"] = _at(moment, zone, name).replace(tzinfo=None).isoformat()
    return made


def _at(moment: datetime, zone: tzinfo, name: str) -> datetime:
    try:
        return local_time(moment, zone)
    except ValueError as error:
        raise MalformedRecord(f"{error}: `$.{name}_at`") from error


def _zone(name: str | None) -> tzinfo:
    try:
        return zone_of(name or "UTC")
    except ValueError as error:
        raise MalformedRecord(f"{error}: `$.time_zone`") from error


def _tickets(row: EventRow) -> dict[str, Any]:
    offers = decode_offers(row.offers)
    offer = EventOffer(row.status, row.capacity, row.ends_at, offers, decode_stock(row.stock))
    first = cheapest(offers)
    return {
        "priceFrom": None if first is None else {"amount": str(first.price), "currency": first.currency},
        "sale": _sale(offer.periods()),
        "ticketTypes": [
            {
                "id": str(each.id),
                "name": each.name,
                "price": {"amount": str(each.price), "currency": each.currency},
                "quantity": each.quantity,
                "available": left,
            }
            for each, left in zip(offers, offer.left, strict=True)
        ],
    }


def _sale(periods: Iterable[SalePeriod]) -> dict[str, list[dict[str, int]]]:
    sale: defaultdict[str, list[dict[str, int]]] = defaultdict(list)
    for tickets, begins_ms, ends_ms in periods:
        bounds = {"gte": begins_ms, "lt": ends_ms}
        sale[tickets].append({name: bound for name, bound in bounds.items() if bound is not None})
    return dict(sale)
