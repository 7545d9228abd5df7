"""The registration of all pages, and what they share: session, language, CSRF check, navigation, template filters.

A module of pages has a blueprint in BLUEPRINTS and a row for each of its views in api/pages/permissions.py.
"""

from typing import Any, Final, NamedTuple

from flask import Blueprint, Flask, g, request
from jinja2 import StrictUndefined

from api.auth.tokens import Caller
from api.pages import (
    assets,
    board_texts,
    csrf,
    holder_texts,
    language,
    numbers,
    permissions,
    session_cookie,
    shown_times,
)
from api.pages.account import account
from api.pages.address_confirmation import confirming
from api.pages.board import board
from api.pages.box_office import box_office
from api.pages.compression import compress
from api.pages.errors import register_errors
from api.pages.event_editing import editing
from api.pages.events import events
from api.pages.forms import TOKEN_FIELD
from api.pages.hall_plans import hall_plans
from api.pages.hall_sections import hall_sections
from api.pages.language import LazyText, lazy_gettext
from api.pages.mail_links import links
from api.pages.organized_payments import organized_payments
from api.pages.organizer import organizing
from api.pages.password_reset import resetting
from api.pages.payments import payments
from api.pages.purchases import purchases
from api.pages.seats import seats
from api.pages.sign_in import signing_in
from api.pages.sign_up import signing_up
from api.pages.topics import topics
from api.roles import Permission, Role

BLUEPRINTS: Final = (
    box_office,
    events,
    seats,
    purchases,
    payments,
    organized_payments,
    links,
    account,
    signing_in,
    signing_up,
    confirming,
    resetting,
    board,
    topics,
    organizing,
    editing,
    hall_plans,
    hall_sections,
)


class NavigationEntry(NamedTuple):
    """A link of the navigation."""

    label: LazyText
    path: str
    access: Permission


NAVIGATION: Final = (
    NavigationEntry(lazy_gettext("Box office"), "/", Permission.ANYONE),
    NavigationEntry(lazy_gettext("Organize"), "/organize", Permission.ORGANIZER),
    NavigationEntry(lazy_gettext("Board"), "/board", Permission.ADMINISTRATOR),
)


def register_pages(app: Flask) -> None:
    """Serve the pages beside the REST routes. Raises ValueError for a page without a row in PAGES."""
    pages = Blueprint("pages", __name__, template_folder="templates")
    pages.add_url_rule("/static/<digest>/<name>", "asset", assets.send_asset)
    for blueprint in BLUEPRINTS:
        pages.register_blueprint(blueprint)
    for step in (_read_session, language.switch, permissions.check, _check_form):
        pages.before_request(step)
    # Flask runs these from the last to the first.
    for last_step in (compress, language.declare, session_cookie.write):
        pages.after_request(last_step)
    register_errors(app, pages)
    app.teardown_appcontext(language.forget)
    app.context_processor(_template_values)
    language.install(app.jinja_env)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for module in (board_texts, holder_texts, numbers, shown_times):
        app.jinja_env.filters.update(module.FILTERS)
    app.register_blueprint(pages)
    permissions.check_table(app)


def _read_session() -> None:
    if permissions.required_access() is Permission.NOBODY:
        g.caller = None
    else:
        session_cookie.read()


def _check_form() -> None:
    if permissions.required_access() is not Permission.NOBODY:
        csrf.check()


def _template_values() -> dict[str, Any]:
    """The variables of every template."""
    found = g.get("caller")
    return {
        "reader": found,
        "navigation": [entry for entry in NAVIGATION if _may_open(found, entry.access)],
        "here": request.path.rstrip("/") or "/",
        "language": language.language(),
        "languages": language.NAMES,
        "language_url": language.switch_url,
        "asset_url": assets.asset_url,
        "csrf_token": csrf.token,
        "csrf_field": TOKEN_FIELD,
    }


def _may_open(reader: Caller | None, wanted: Permission) -> bool:
    if wanted is Permission.ANYONE:
        return True
    roles = reader.roles if reader else frozenset()
    return Role.ADMINISTRATOR in roles or (wanted is Permission.ORGANIZER and Role.ORGANIZER in roles)
