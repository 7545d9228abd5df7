"""The box office: a search over all events, as one types, with what the found ones are like beside it."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, make_response, render_template, request
from markupsafe import Markup

from api.bounded_cache import Bounded
from api.pages.copy import State, sale_of
from api.pages.forms import complaints, parsed
from api.problems import PROBLEMS, Refused
from api.schemas.search import FoundEvent, FoundEvents, SearchQuery
from api.web.responses import ports

box_office = Blueprint("box_office", __name__)

SEVERAL: Final = ("city", "tag", "availability")
ONCE: Final = ("q", "from", "to", "sort", "cursor")
NOTHING: Final[dict[str, Any]] = dict.fromkeys(ONCE, "") | {name: [] for name in SEVERAL}
SORTS: Final = {"date": "Soonest first", "-date": "Latest first", "relevance": "Best match"}
SHOWN_AT_ONCE: Final = 8
# The search is about as far behind itself.
KEPT_S: Final = 1.0
MOST_KEPT: Final = 500
_KEPT: Final = "found at the box office"


@box_office.get("/")
def search() -> Response:
    """The whole page; to the page's own script only what was found, to its end only the next events."""
    asked = asked_for()
    try:
        found = _found(asked)
    except Refused as error:
        return _answer("box_office.html", PROBLEMS[error.kind].status, found=None, asked=asked, wrong=complaints(error))
    return _answer(_template(), found=found, asked=asked, wrong={})


def asked_for() -> dict[str, Any]:
    """What the address says of the search; anything else in it is left alone."""
    several = {name: list(filter(None, request.args.getlist(name))) for name in SEVERAL}
    once = {name: request.args[name] for name in ONCE if request.args.get(name)}
    return {name: value for name, value in (once | several).items() if value}


def link(asked: dict[str, Any], **change: Any) -> str:
    """The address of a search."""
    chosen = {name: value for name, value in (asked | change).items() if value}
    return f"/?{urlencode(chosen, doseq=True)}" if chosen else "/"


def title_of(event: FoundEvent) -> str:
    """The title, with what was found in it marked. The search escapes it."""
    marked = event.highlights.title if event.highlights else None
    return Markup(marked) if marked else event.title  # noqa: S704


def begins(event: FoundEvent) -> datetime:
    """When it begins."""
    return datetime.fromisoformat(event.starts_at)


def state_of(event: FoundEvent) -> State:
    """Whether tickets can be had, in words."""
    return sale_of(event.availability, event.status)


def _found(asked: dict[str, Any]) -> FoundEvents:
    """What the search finds, or found a moment ago for the same question: everybody is told the same."""
    kept: Bounded[str, FoundEvents] = current_app.extensions.setdefault(_KEPT, Bounded(MOST_KEPT, KEPT_S))
    found = kept.get(link(asked))
    if found is None:
        found = ports().index.search(parsed(SearchQuery, asked))
        kept.put(link(asked), found)
    return found


def _template() -> str:
    if "HX-Request" not in request.headers:
        return "box_office.html"
    return "rows.html" if request.args.get("cursor") else "found.html"


def _answer(template: str, status: int = 200, **values: Any) -> Response:
    asked = values["asked"] = NOTHING | values["asked"]
    told = {"link": link, "title_of": title_of, "begins": begins, "state_of": state_of}
    text = render_template(template, sorts=SORTS, now=ports().clock(), few=SHOWN_AT_ONCE, **told, **values)
    answer = make_response(text, status)
    answer.vary.add("HX-Request")
    if template == "found.html":
        answer.headers["HX-Replace-Url"] = link(asked)
    return answer
