"""Protection against cross-site request forgery: a token in each form, and the browser's headers about the origin.

The token is different each time, so that the size of a compressed page reveals nothing about it.
"""

import secrets
from typing import Final

from flask import request

from api.pages import session_cookie
from api.pages.addresses import has_secret_address
from api.pages.forms import TOKEN_FIELD
from api.ports.ports import ports
from api.problems import ApiError, Refused

FORM_TYPE: Final = "application/x-www-form-urlencoded"
UPLOAD_TYPE: Final = "multipart/form-data"
# The pages whose forms have a file.
_UPLOADS: Final = frozenset({"pages.hall_plans.upload", "pages.hall_plans.draw"})
# Methods that change nothing need no token.
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class StaleForm(ApiError):
    """The form does not belong to this session: it is too old, or comes from another site."""


def token() -> str:
    """A new token for a form of this session."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{ports().tokens.seal(_purpose(nonce))}"


def check() -> None:
    """Raises StaleForm unless a form of this session sent the request. Refused: unsupported-media-type."""
    if request.method in _SAFE_METHODS:
        return
    form_type = UPLOAD_TYPE if request.endpoint in _UPLOADS else FORM_TYPE
    if request.mimetype != form_type or request.content_length is None:
        raise Refused("unsupported-media-type")
    nonce, _, seal = request.form.get(TOKEN_FIELD, "").rpartition(".")
    if _is_cross_site() or not ports().tokens.is_sealed(_purpose(nonce), seal):
        raise StaleForm


def _is_cross_site() -> bool:
    """Decided by headers that no script can set. Old browsers send neither; then only the token counts.

    Pages with a secret in the URL send no referrer, and their forms have ``Origin: null``.
    """
    sender = request.headers.get("Sec-Fetch-Site")
    if sender is not None:
        return sender != "same-origin"
    origin = request.headers.get("Origin")
    if origin == "null" and has_secret_address():
        return False
    return origin is not None and origin.partition("://")[2] != request.host


def _purpose(nonce: str) -> str:
    return f"form {nonce} {session_cookie.session_secret()}"
