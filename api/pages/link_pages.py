"""What the pages behind mailed links share: reading the link, and the form for a new password."""

from flask import request

from api.pages.forms import form_fields, parse_body
from api.ports.ports import ports
from api.schemas.base import Body
from api.schemas.fields import NewPassword
from tables.signing.links import LinkInvalid, LinkKind


class _ChosenPassword(Body):
    password: NewPassword


def chosen_password() -> str:
    """The password from the form of such a page. Refused: invalid-input."""
    return parse_body(_ChosenPassword, {"password": form_fields().get("password", "")}).password


def link_text() -> str:
    """The link's text, from the URL or from the form."""
    return request.values.get("link", "")


def link_subject(kind: LinkKind) -> bytes:
    """The subject that the link was signed for. Raises LinkInvalid and LinkExpired. Refused: too-many-requests."""
    try:
        return ports().links.verify(kind, link_text(), ports().clock())
    except LinkInvalid:
        ports().rate_limits.take("link")
        raise
