"""Which headers an answer has beside its own: how it may be kept, what it may load, that it is what it says it is.

Set here alone on all answers of Flask, and as ``security_headers.DATA`` on those of the fast path
(api/web/raw_response.py). Answers are kept nowhere, but for those in ``KEPT``; a route of neither API nor pages must
have its row there.
"""

from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, request

from api.pages.permissions import BLUEPRINT_PREFIX, PAGES, has_secret_address
from api.web.permissions import ACCESS
from api.web.security_headers import AN_HOUR, ASKED_ANEW, DATA, NEVER_KEPT, PAGE

KEPT: Final[Mapping[str, str]] = {
    "events.list_events": ASKED_ANEW,
    "events.read_event": ASKED_ANEW,
    "events.read_event_name": ASKED_ANEW,
    "tickets.list_ticket_types": ASKED_ANEW,
    "tickets.list_ticket_types_at_old_path": ASKED_ANEW,
    "tickets.read_ticket_type": ASKED_ANEW,
    "search.search_events": ASKED_ANEW,
    "search.suggest": ASKED_ANEW,
    "plain_live": NEVER_KEPT,
    "plain_ready": NEVER_KEPT,
    "openapi_document": ASKED_ANEW,
    "docs": ASKED_ANEW,
    "swagger.swagger": ASKED_ANEW,
    "swagger.oauth2-redirect": ASKED_ANEW,
    "swagger.static": ASKED_ANEW,
    "problems": AN_HOUR,
    "problem": AN_HOUR,
}


def register_headers(app: Flask) -> None:
    """Set the headers of every answer that does not have them. Raises ValueError for a route without a decision."""
    for rule in app.url_map.iter_rules():
        check_decision(rule.endpoint)
    app.after_request(_guard)


def check_decision(endpoint: str) -> None:
    """Raises ValueError for a route of which nobody has said how its answers may be kept."""
    is_known = (
        endpoint in KEPT or endpoint.removeprefix(BLUEPRINT_PREFIX) in PAGES or endpoint.rpartition(".")[2] in ACCESS
    )
    if not is_known:
        raise ValueError(f"the route {endpoint} has no row in KEPT, ACCESS or PAGES")


def _guard(answer: Response) -> Response:
    kept = KEPT.get(request.endpoint or "")
    if kept is not None and answer.status_code < 400:
        answer.headers.setdefault("Cache-Control", kept)
    if has_secret_address():
        answer.headers["Referrer-Policy"] = "no-referrer"
    is_page = "pages" in request.blueprints or answer.mimetype == "text/html"
    for name, value in (PAGE if is_page else DATA).items():
        answer.headers.setdefault(name, value)
    return answer
