"""Search of public events."""

from flask import Response

from api.ports.ports import ports
from api.schemas.search import FoundEvents, SearchQuery, Suggestions, SuggestQuery
from api.web.responses import answer, answers, blueprint

search = blueprint("search", "events")


@search.get("/events/search", summary="Search events", responses=answers({200: FoundEvents}, "invalid-input"))
def search_events(query: SearchQuery) -> Response:
    """Tolerates typing errors and matches prefixes; ignores case and accents. Drafts are not found."""
    return answer(ports().index.search(query))


@search.get(
    "/events/suggest", summary="Suggest what to search for", responses=answers({200: Suggestions}, "invalid-input")
)
def suggest(query: SuggestQuery) -> Response:
    """Titles, cities, venues, tags and organizers that continue the words."""
    return answer(ports().index.suggest(query))
