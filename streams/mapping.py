"""The search index: its mapping and how a row becomes a document.

Accents are folded here, not by an analyzer, since the embedded node has only the standard one.
"""

from typing import Any, Final

from streams.rows import EventRow
from tables.folding import fold

ALIAS: Final = "events"
INDEX: Final = "events-v1"

_TEXT: Final = {"type": "text", "analyzer": "standard", "index_prefixes": {"min_chars": 1, "max_chars": 10}}
_KEYWORD: Final = {"type": "keyword", "ignore_above": 512}
_STORED: Final = {"type": "keyword", "index": False, "doc_values": False}
FOLDED: Final = ("title", "description", "venue", "city", "tags")

INDEX_BODY: Final[dict[str, Any]] = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "200ms"},
    "aliases": {ALIAS: {}},
    "mappings": {
        "dynamic": "strict",
        "properties": {
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
            "timeZone": _KEYWORD,
            "organizerId": _KEYWORD,
            "location": {"type": "geo_point"},
            "folded": {"properties": dict.fromkeys(FOLDED, _TEXT)},
        },
    },
}


def document(row: EventRow) -> dict[str, Any]:
    """The document of an event; of a deleted one only the marker that stops older changes."""
    if row.is_delete:
        return {"id": str(row.id), "deleted": True}
    plain = {
        "id": str(row.id),
        "deleted": False,
        "title": row.title,
        "description": row.description or "",
        "venue": row.venue or "",
        "city": row.city or "",
        "country": row.country or "",
        "tags": row.tags or [],
        "status": row.status,
        "startsAt": row.starts_at,
        "endsAt": row.ends_at,
        "timeZone": row.time_zone,
        "organizerId": str(row.organizer_id),
        "folded": _folded(row),
    }
    if row.latitude is not None and row.longitude is not None:
        plain["location"] = {"lat": row.latitude, "lon": row.longitude}
    return plain


def _folded(row: EventRow) -> dict[str, Any]:
    texts = {name: fold(getattr(row, name) or "") for name in FOLDED if name != "tags"}
    return texts | {"tags": [fold(tag) for tag in row.tags or []]}
