"""No other site can send our forms: each carries a key that fits this session, and browsers say where it comes from.

A form's key is another one each time, so that compressing a page tells nothing of it.
"""

import secrets
from typing import Final

from flask import request

from api.pages import session_cookie
from api.pages.permissions import has_secret_address
from api.problems import ApiError, Refused
from api.web.responses import ports

TOKEN_FIELD: Final = "csrf_token"  # noqa: S105 (a field's name)
FORM_TYPE: Final = "application/x-www-form-urlencoded"
# What a browser may do by following a link; everything else is a form of ours.
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class StaleForm(ApiError):
    """A form that is not of this session: too old, or from another site."""


def token() -> str:
    """The key for a form of this session."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{ports().tokens.seal(_purpose(nonce))}"


def check() -> None:
    """Raises StaleForm for what no form of this session sent. Refused: unsupported-media-type for what is no form."""
    if request.method in _SAFE_METHODS:
        return
    if request.mimetype != FORM_TYPE or request.content_length is None:
        raise Refused("unsupported-media-type")
    nonce, _, seal = request.form.get(TOKEN_FIELD, "").rpartition(".")
    if _is_cross_site() or not ports().tokens.is_sealed(_purpose(nonce), seal):
        raise StaleForm


def _is_cross_site() -> bool:
    """By the headers that no script can set. Old browsers send neither; then the key alone decides.

    A form of a page that tells nobody its address says that it comes from nowhere.
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
