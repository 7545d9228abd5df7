"""Who may use which page, in one table. Without a row for every page the application does not start.

A reader who has to sign in first is redirected there and back. The pages themselves check ownership.
"""

from typing import Final
from urllib.parse import urlencode

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from api.roles import Role
from api.web.authentication import require, visitor
from api.web.permissions import Access

BLUEPRINT_PREFIX: Final = "pages."
PAGES: Final[dict[str, Access]] = {
    "asset": Access.NOBODY,
    "box_office.search": Access.ANYONE,
    "events.event": Access.ANYONE,
    "events.left": Access.NOBODY,
    "events.choose": Access.SIGNED_IN,
    "events.hold": Access.SIGNED_IN,
    "purchases.purchase": Access.SIGNED_IN,
    "purchases.confirm": Access.SIGNED_IN,
    "purchases.cancel_form": Access.SIGNED_IN,
    "purchases.cancel": Access.SIGNED_IN,
    "purchases.mails": Access.SIGNED_IN,
    "purchases.send_again": Access.SIGNED_IN,
    "purchases.calendar_file": Access.SIGNED_IN,
    "links.hold": Access.ANYONE,
    "links.finish_hold": Access.ANYONE,
    "links.purchase": Access.ANYONE,
    "links.send_again": Access.ANYONE,
    "tickets.own_tickets": Access.SIGNED_IN,
    "signing_in.sign_in": Access.ANYONE,
    "signing_in.sign_in_form": Access.ANYONE,
    "signing_in.sign_out": Access.SIGNED_IN,
    "signing_up.sign_up": Access.ANYONE,
    "signing_up.sign_up_form": Access.ANYONE,
    "signing_up.confirm_address": Access.ANYONE,
    "signing_up.confirm_address_form": Access.ANYONE,
    "confirming.confirm_link_form": Access.ANYONE,
    "confirming.confirm_link": Access.ANYONE,
    "resetting.forgotten_form": Access.ANYONE,
    "resetting.forgotten": Access.ANYONE,
    "resetting.new_password_form": Access.ANYONE,
    "resetting.new_password": Access.ANYONE,
    "board.show_board": Access.ADMINISTRATOR,
    "board.board_live": Access.ADMINISTRATOR,
    "organizing.own_events": Access.ORGANIZER,
    "organizing.own_event": Access.ORGANIZER,
    "organizing.confirm_status": Access.ORGANIZER,
    "organizing.change_status": Access.ORGANIZER,
    "organizing.attendees": Access.ORGANIZER,
    "editing.new_event_form": Access.ORGANIZER,
    "editing.create_event": Access.ORGANIZER,
    "editing.event_to_edit": Access.ORGANIZER,
    "editing.edit_event": Access.ORGANIZER,
    "editing.new_type_form": Access.ORGANIZER,
    "editing.create_type": Access.ORGANIZER,
    "editing.type_to_edit": Access.ORGANIZER,
    "editing.edit_type": Access.ORGANIZER,
    "editing.remove_type": Access.ORGANIZER,
}
# Pages whose URL is a secret: those behind links in mails.
_LINKS_PREFIX: Final = "/links/"
_ROLES: Final[dict[Access, tuple[Role, ...]]] = {Access.ORGANIZER: (Role.ORGANIZER,), Access.ADMINISTRATOR: ()}


def check_table(app: Flask) -> None:
    """Raises ValueError for a page without a row."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(BLUEPRINT_PREFIX) and rule.endpoint.removeprefix(BLUEPRINT_PREFIX) not in PAGES:
            raise ValueError(f"the page {rule.endpoint} has no row in PAGES")


def required_access() -> Access:
    """The access that this request's page requires."""
    return PAGES[(request.endpoint or "").removeprefix(BLUEPRINT_PREFIX)]


def check() -> Response | None:
    """A redirect to the sign-in for a reader who must sign in first. Refused: forbidden."""
    wanted = required_access()
    if wanted in (Access.NOBODY, Access.ANYONE):
        return None
    if visitor() is None:
        return redirect(f"/sign-in?{urlencode({'next': _return_path()})}", 303)
    if wanted in _ROLES:
        require(*_ROLES[wanted])
    return None


def has_secret_address() -> bool:
    """Whether this request's URL is a secret."""
    return request.path.startswith(_LINKS_PREFIX)


def local_path(path: str | None) -> str:
    """The path if it is one of this site, else ``/``. So no link can redirect a reader to another site."""
    path = path or ""
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_local else "/"


def _return_path() -> str:
    """This page, or for a form the page that it was on."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    host, slash, path = (request.referrer or "").partition("://")[2].partition("/")
    return local_path(slash + path) if host == request.host else "/"
