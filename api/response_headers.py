"""Sets caching and security headers on all responses of Flask; those of the fast path have ``security_headers.DATA``.

Responses are not cached, except those in ``CACHED``. A route of neither API nor pages must have a row there.
"""

from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, request

from api.pages.addresses import has_secret_address
from api.pages.permissions import BLUEPRINT_PREFIX, PAGES
from api.web.permissions import PERMISSIONS
from api.web.security_headers import CACHED_AN_HOUR, DATA, NEVER_CACHED, PAGE, REVALIDATED

CACHED: Final[Mapping[str, str]] = {
    "events.list_events": REVALIDATED,
    "events.read_event": REVALIDATED,
    "events.read_event_name": REVALIDATED,
    "tickets.list_ticket_types": REVALIDATED,
    "tickets.list_ticket_types_at_old_path": REVALIDATED,
    "tickets.read_ticket_type": REVALIDATED,
    "seating.read_seating": REVALIDATED,
    "seating.read_seats": REVALIDATED,
    "seating.follow_seats": REVALIDATED,
    "search.search_events": REVALIDATED,
    "search.suggest": REVALIDATED,
    "plain_live": NEVER_CACHED,
    "plain_ready": NEVER_CACHED,
    "openapi_document": REVALIDATED,
    "asyncapi_document": REVALIDATED,
    "schemas_document": REVALIDATED,
    "seating_schema": REVALIDATED,
    "docs": REVALIDATED,
    "swagger.swagger": REVALIDATED,
    "swagger.oauth2-redirect": REVALIDATED,
    "swagger.static": REVALIDATED,
    "problems": CACHED_AN_HOUR,
    "problem": CACHED_AN_HOUR,
}


def register_headers(app: Flask) -> None:
    """Set the headers on every response that does not have them. Raises ValueError for a route without a row."""
    for rule in app.url_map.iter_rules():
        check_decision(rule.endpoint)
    app.after_request(_set)


def check_decision(endpoint: str) -> None:
    """Raises ValueError for a route without a row in one of the tables."""
    is_known = (
        endpoint in CACHED
        or endpoint.removeprefix(BLUEPRINT_PREFIX) in PAGES
        or endpoint.rpartition(".")[2] in PERMISSIONS
    )
    if not is_known:
        raise ValueError(f"the route {endpoint} has no row in CACHED, PERMISSIONS or PAGES")


def _set(answer: Response) -> Response:
    cached = CACHED.get(request.endpoint or "")
    if cached is not None and answer.status_code < 400:
        answer.headers.setdefault("Cache-Control", cached)
    if has_secret_address():
        answer.headers["Referrer-Policy"] = "no-referrer"
    is_page = "pages" in request.blueprints or answer.mimetype == "text/html"
    for name, value in (PAGE if is_page else DATA).items():
        answer.headers.setdefault(name, value)
    return answer
