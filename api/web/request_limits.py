"""Before a request reaches its route: its body must be a JSON object of a bounded size (a page checks its forms)."""

from typing import Any, Final

import msgspec
from flask import request
from flask.json.provider import JSONProvider

from api.problems import Refused, wrong

MOST_BYTES: Final = 64 * 1024
AS_IT_IS: Final = {"Accept-Encoding": "identity"}
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_WITHOUT_BODY: Final = "purchases.confirm_purchase"
_FORMS: Final = "pages"
_MAY_HAVE_NONE: Final = frozenset({"purchases.cancel_purchase", "notifications.send_again"})


class StrictJson(JSONProvider):
    """JSON by the book: no NaN, no bytes that are not UTF-8, no lone surrogates."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """The object as JSON."""
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The object in ``s``. Raises ValueError, also for what is nested too deeply."""
        try:
            return msgspec.json.decode(s)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def check_body() -> None:
    """Refused: unsupported-media-type, body-too-large, invalid-input. What is no JSON is a BadRequest."""
    # Where the server gave up reading it, there is a length and no body.
    if (request.content_length or 0) > MOST_BYTES:
        raise Refused("body-too-large")
    # A body is read as it comes (RFC 9110, section 8.4).
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("unsupported-media-type", "send the body without a Content-Encoding", headers=AS_IT_IS)
    if request.method not in _WITH_BODY or request.routing_exception is not None:
        return
    if request.endpoint == _WITHOUT_BODY or _FORMS in request.blueprints:
        return
    if request.endpoint in _MAY_HAVE_NONE and not request.content_length and not request.is_json:
        return
    if not request.is_json:
        raise Refused("unsupported-media-type")
    # A chunked body that is too long is cut at the limit, not refused.
    if request.content_length is None and len(request.get_data()) >= MOST_BYTES:
        raise Refused("body-too-large")
    if not isinstance(request.get_json(), dict):
        raise wrong("", "the body must be a JSON object")
