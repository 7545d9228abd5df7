"""What all pages of links in mails have in common: reading the link, and the password that is chosen there."""

from flask import request

from api.pages.forms import form_fields, parse_body
from api.schemas.fields import Body, NewPassword
from api.web.responses import ports
from tables.signing.links import LinkInvalid, LinkKind


class _ChosenPassword(Body):
    password: NewPassword


def chosen_password() -> str:
    """The password that the form of a link's page asked for. Refused: invalid-input."""
    return parse_body(_ChosenPassword, {"password": form_fields().get("password", "")}).password


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
