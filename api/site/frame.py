"""What all pages have in common: who reads them, and the page around their content.

A page's module has a blueprint in BLUEPRINTS and a row for each of its functions in api/site/access.py.
"""

from typing import Any, Final, NamedTuple

from flask import Blueprint, Flask, g, request
from jinja2 import StrictUndefined

from api.access import Access
from api.site import access, assets, forgery, session
from api.site.board import board
from api.site.box_office import box_office
from api.site.compression import pack
from api.site.confirming import confirming
from api.site.editing import editing
from api.site.errors import register_errors
from api.site.events import events
from api.site.links import links
from api.site.organizing import organizing
from api.site.purchases import purchases
from api.site.resetting import resetting
from api.site.signing_in import signing_in
from api.site.signing_up import signing_up
from api.site.tickets import tickets
from api.site.words import FILTERS
from api.tokens import Caller, Role

BLUEPRINTS: Final = (
    box_office,
    events,
    purchases,
    links,
    tickets,
    signing_in,
    signing_up,
    confirming,
    resetting,
    board,
    organizing,
    editing,
)


class Entry(NamedTuple):
    """A place that the navigation leads to."""

    label: str
    path: str
    access: Access


NAVIGATION: Final = (
    Entry("Box office", "/", Access.ANYONE),
    Entry("Organize", "/organize", Access.ORGANIZER),
    Entry("Board", "/board", Access.ADMINISTRATOR),
)


def register_site(app: Flask) -> None:
    """Serve the pages beside the REST routes. Raises ValueError for one without a row."""
    pages = Blueprint("site", __name__, template_folder="templates")
    pages.add_url_rule("/static/<digest>/<name>", "asset", assets.asset)
    for blueprint in BLUEPRINTS:
        pages.register_blueprint(blueprint)
    for step in (_arrive, access.check, _check_form):
        pages.before_request(step)
    # In the order of their registration from the last to the first.
    for last_step in (pack, session.leave):
        pages.after_request(last_step)
    register_errors(app, pages)
    app.context_processor(_surroundings)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(FILTERS)
    app.register_blueprint(pages)
    access.check_rows(app)


def _arrive() -> None:
    if access.access() is Access.NOBODY:
        g.caller = None
    else:
        session.arrive()


def _check_form() -> None:
    if access.access() is not Access.NOBODY:
        forgery.check()


def _surroundings() -> dict[str, Any]:
    """What every template may use."""
    found = g.get("caller")
    return {
        "reader": found,
        "navigation": [entry for entry in NAVIGATION if _may_go(found, entry.access)],
        "here": request.path,
        "address": assets.address,
        "form_key": forgery.form_key,
        "form_field": forgery.FIELD,
    }


def _may_go(reader: Caller | None, wanted: Access) -> bool:
    if wanted is Access.ANYONE:
        return True
    roles = reader.roles if reader else frozenset()
    return Role.ADMINISTRATOR in roles or (wanted is Access.ORGANIZER and Role.ORGANIZER in roles)
