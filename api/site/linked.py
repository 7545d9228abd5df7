"""What all pages of links in mails have in common: reading the link, and the page of one that leads no further."""

from typing import NamedTuple

from flask import Response, make_response, render_template, request

from api.answers import ports
from api.bodies.fields import Body, NewPassword
from api.site.forms import fields, parsed
from tables.links import LinkInvalid, LinkKind


class Ended(NamedTuple):
    """Why a link leads no further, and where to go instead: what the button says, and its path."""

    title: str
    text: str
    label: str
    path: str


class _ChosenPassword(Body):
    password: NewPassword


def chosen_password() -> str:
    """The password that the form of a link's page asked for. Refused: invalid-input."""
    return parsed(_ChosenPassword, {"password": fields().get("password", "")}).password


def link_text() -> str:
    """The link's text: in the address, or in the form that stood on its page."""
    return request.values.get("link", "")


def link_subject(kind: LinkKind) -> bytes:
    """What the link of this request is for. Raises LinkInvalid and LinkExpired. Refused: too-many-requests."""
    try:
        return ports().links.verify(kind, link_text(), ports().clock())
    except LinkInvalid:
        ports().quotas.take("link")
        raise


def ended(told: Ended, status: int) -> Response:
    """The page that tells it."""
    return make_response(render_template("link_ended.html", told=told), status)
