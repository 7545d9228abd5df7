"""The box office: full-text search over all events while the reader types, with facets."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, make_response, render_template, request
from markupsafe import Markup

from api.bounded_cache import BoundedCache
from api.pages.forms import field_errors, parse_body
from api.pages.language import lazy_gettext
from api.pages.status_labels import StatusLabel, search_label
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.search import FoundEvent, FoundEvents, SearchQuery

box_office = Blueprint("box_office", __name__)

LIST_PARAMETERS: Final = ("city", "tag", "availability")
SINGLE_PARAMETERS: Final = ("q", "from", "to", "sort", "cursor")
EMPTY_QUERY: Final[dict[str, Any]] = dict.fromkeys(SINGLE_PARAMETERS, "") | {name: [] for name in LIST_PARAMETERS}
SORTS: Final = {
    "date": lazy_gettext("Soonest first"),
    "-date": lazy_gettext("Latest first"),
    "relevance": lazy_gettext("Best match"),
}
FACET_VALUES_SHOWN: Final = 8
# About as stale as the search index itself.
CACHE_TTL_S: Final = 1.0
CACHE_MAX_ENTRIES: Final = 500
_CACHE: Final = "found at the box office"


@box_office.get("/")
def search() -> Response:
    """The whole page; for htmx only the results, or only the next rows."""
    asked = query_parameters()
    try:
        found = _search(asked)
    except Refused as error:
        return _answer("box_office.html", error.status, found=None, asked=asked, errors=field_errors(error))
    return _answer(_template(), found=found, asked=asked, errors={})


def query_parameters() -> dict[str, Any]:
    """The search parameters of the URL; others are ignored."""
    several = {name: list(filter(None, request.args.getlist(name))) for name in LIST_PARAMETERS}
    once = {name: request.args[name] for name in SINGLE_PARAMETERS if request.args.get(name)}
    return {name: value for name, value in (once | several).items() if value}


def search_url(asked: dict[str, Any], **change: Any) -> str:
    """The URL of a search."""
    chosen = {name: value for name, value in (asked | change).items() if value}
    return f"/?{urlencode(chosen, doseq=True)}" if chosen else "/"


def title_of(event: FoundEvent) -> str:
    """The title with the matches highlighted. The search has escaped it."""
    marked = event.highlights.title if event.highlights else None
    return Markup(marked) if marked else event.title  # noqa: S704


def begins(event: FoundEvent) -> datetime:
    """When the event starts."""
    return datetime.fromisoformat(event.starts_at)


def ends(event: FoundEvent) -> datetime:
    """When the event ends."""
    return datetime.fromisoformat(event.ends_at or event.starts_at)


def sale_label(event: FoundEvent) -> StatusLabel:
    """Whether tickets are available, as a label."""
    return search_label(event.availability, event.status, has_ended=ends(event) <= ports().clock())


def _search(asked: dict[str, Any]) -> FoundEvents:
    """The results, cached for a moment: the same query has the same results for everybody."""
    kept: BoundedCache[str, FoundEvents] = current_app.extensions.setdefault(
        _CACHE, BoundedCache(CACHE_MAX_ENTRIES, CACHE_TTL_S)
    )
    found = kept.get(search_url(asked))
    if found is None:
        # Without a date, only what is not over.
        upcoming = {} if asked.keys() & {"from", "to"} else {"upcoming": True}
        found = ports().index.search(parse_body(SearchQuery, asked | upcoming))
        kept.put(search_url(asked), found)
    return found


def _template() -> str:
    if "HX-Request" not in request.headers:
        return "box_office.html"
    return "rows.html" if request.args.get("cursor") else "found.html"


def _answer(template: str, status: int = 200, **values: Any) -> Response:
    asked = values["asked"] = EMPTY_QUERY | values["asked"]
    told = {"search_url": search_url, "title_of": title_of, "begins": begins, "ends": ends, "sale_label": sale_label}
    text = render_template(template, sorts=SORTS, now=ports().clock(), few=FACET_VALUES_SHOWN, **told, **values)
    answer = make_response(text, status)
    answer.vary.add("HX-Request")
    if template == "found.html":
        answer.headers["HX-Replace-Url"] = search_url(asked)
    return answer
