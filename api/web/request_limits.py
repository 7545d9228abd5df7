"""Checks before a route runs: a body must be a JSON object of limited size (pages check their forms themselves)."""

from typing import Any, Final

import msgspec
from flask import request
from flask.json.provider import JSONProvider

from api.problems import Refused, wrong
from api.web.body_sizes import body_max_bytes

ACCEPT_IDENTITY: Final = {"Accept-Encoding": "identity"}
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_WITHOUT_BODY: Final = "payments.start_payment"
_PAGES: Final = "pages"
_BODY_OPTIONAL: Final = frozenset(
    {
        *("purchases.confirm_purchase", "purchases.cancel_purchase"),
        *("notifications.send_again", "accounts.delete_account"),
    }
)


class StrictJson(JSONProvider):
    """Strict JSON: no NaN, nothing but UTF-8, no lone surrogates."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value in ``s``. Raises ValueError, also if it is nested too deeply."""
        try:
            return msgspec.json.decode(s)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def check_body() -> None:
    """Refused: unsupported-media-type, body-too-large, invalid-input. Raises BadRequest for what is not JSON."""
    request.max_content_length = max_bytes = body_max_bytes(request.path)
    # If the server gave up reading it, there is a length without a body.
    if (request.content_length or 0) > max_bytes:
        raise Refused("body-too-large")
    # A content coding is not supported (RFC 9110, section 8.4).
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("unsupported-media-type", "send the body without a Content-Encoding", headers=ACCEPT_IDENTITY)
    may_have_body = request.method in _WITH_BODY or request.endpoint in _BODY_OPTIONAL
    if not may_have_body or request.routing_exception is not None:
        return
    if request.endpoint == _WITHOUT_BODY or _PAGES in request.blueprints:
        return
    if request.endpoint in _BODY_OPTIONAL and not request.content_length:
        return
    if not request.is_json:
        raise Refused("unsupported-media-type")
    # A chunked body that is too long was cut at the limit.
    if request.content_length is None and len(request.get_data()) >= max_bytes:
        raise Refused("body-too-large")
    if not isinstance(request.get_json(), dict):
        raise wrong("", "the body must be a JSON object")
