"""Search over the events that the public may see."""

from flask import Response

from api.answers import answer, answers, blueprint, ports
from api.bodies.search import FoundEvents, SearchQuery

search = blueprint("search", "events")


@search.get(
    "/events/search",
    summary="Search events",
    responses=answers({200: FoundEvents}, "invalid-input"),
)
def search_events(query: SearchQuery) -> Response:
    """Every word must be found; case and accents do not count. Drafts are not found."""
    return answer(ports().index.search(query.q, query.limit, query.cursor))
