"""Suggestions for typed words: titles, cities, venues, tags and organizers of public events."""

from collections import Counter
from typing import Any, Final, Literal

from api.schemas.search import Suggestion
from api.search.filters import PUBLIC
from api.search.words import matching
from tables.text.folding import fold

Json = dict[str, Any]
Kind = Literal["event", "city", "venue", "tag", "organizer"]

HITS_MAX: Final = 50
KINDS: Final[dict[str, Kind]] = {"city": "city", "venue": "venue", "tags": "tag", "organizer": "organizer"}


def body(typed: str) -> Json:
    """The body of a search for events, with the fields that may be suggested."""
    return {
        "size": HITS_MAX,
        "query": {"bool": {"filter": [PUBLIC], "must": matching(typed)}},
        "source_includes": ["id", "title", *KINDS],
        "track_total_hits": False,
    }


def suggestions(typed: str, found: list[Json], limit: int) -> list[Suggestion]:
    """Texts that continue what was typed; if there are none, the titles of the best hits."""
    begun = fold(typed).split()
    events = [Suggestion(text=each["title"], kind="event", id=each["id"]) for each in found]
    names = Counter(
        (text, kind) for each in found for name, kind in KINDS.items() for text in _texts(each.get(name)) if text
    )
    all_of_them = [Suggestion(text=text, kind=kind) for (text, kind), _ in names.most_common()] + events
    fitting = [each for each in all_of_them if _continues(begun, each.text)]
    # First those that begin with it, then those that contain it; each in the order of the search.
    fitting.sort(key=lambda each: not fold(each.text).startswith(" ".join(begun)))
    return (fitting or events)[:limit]


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _continues(begun: list[str], text: str) -> bool:
    words = fold(text).split()
    return all(any(word.startswith(start) for word in words) for start in begun)
