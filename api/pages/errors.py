"""Error pages: what went wrong and where to go from here, without anything internal."""

import logging
from typing import Final, NamedTuple

from flask import Blueprint, Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response as BaseResponse

from api.pages import session_cookie
from api.pages.csrf import StaleForm
from api.pages.language import LazyText, Text, declare, lazy_gettext, switch
from api.pages.refusal_texts import refusal_text
from api.problems import RETRY_AFTER_S, Refused, Unavailable
from api.web.error_handlers import http_error
from api.web.raw_response import log_outage
from api.web.responses import BASE

log = logging.getLogger(__name__)


class ErrorText(NamedTuple):
    """An error page's headline and text, and its button's label and path."""

    title: LazyText
    text: Text
    label: LazyText = lazy_gettext("Back to the box office")
    path: str = "/"


NOT_FOUND: Final = ErrorText(
    lazy_gettext("Page not found"), lazy_gettext("The address may be mistyped, or the page no longer exists.")
)
STALE_FORM: Final = ErrorText(
    lazy_gettext("This page has expired"), lazy_gettext("Nothing was changed. Please reload the page and try again.")
)
REFUSED: Final = lazy_gettext("That did not work")
INTERNAL_ERROR: Final = ErrorText(
    lazy_gettext("Something went wrong on our side"),
    lazy_gettext("It was nothing you did. Please try again in a moment."),
)
OUTAGE: Final = ErrorText(
    lazy_gettext("We’ll be right back"),
    lazy_gettext("Part of the box office is not responding. Please try again in a moment."),
)
_TEXTS_BY_KIND: Final = {
    "not-found": NOT_FOUND,
    "unknown-event": NOT_FOUND,
    "forbidden": ErrorText(
        lazy_gettext("You are not allowed to do this"),
        lazy_gettext("It belongs to somebody else, or needs a role that you do not have."),
    ),
    "body-too-large": ErrorText(
        lazy_gettext("The form is too large"), lazy_gettext("Please shorten what you entered.")
    ),
    "unsupported-media-type": ErrorText(
        lazy_gettext("This is not a form"), lazy_gettext("Please use the forms of this site.")
    ),
    "internal-error": INTERNAL_ERROR,
    "busy": OUTAGE,
}
# Headers of a refusal that are sent with its page.
_KEPT_HEADERS: Final = frozenset({"Retry-After", "Accept-Encoding"})
_TEXTS_BY_STATUS: Final = {404: NOT_FOUND, 413: _TEXTS_BY_KIND["body-too-large"]}


def register_errors(app: Flask, pages: Blueprint) -> None:
    """Answer every error of a page with a page, and unknown paths too if a browser asks."""
    pages.register_error_handler(Refused, _refused)
    pages.register_error_handler(Unavailable, _unavailable)
    pages.register_error_handler(StaleForm, lambda error: error_page(STALE_FORM, 403))
    pages.register_error_handler(HTTPException, _http)
    pages.register_error_handler(Exception, _unexpected)
    app.register_error_handler(NotFound, _unrouted)
    app.register_error_handler(MethodNotAllowed, _unrouted)


def error_page(text: ErrorText, status: int) -> Response:
    """The error page."""
    return make_response(render_template("error.html", text=text), status)


def _refused(error: Refused) -> Response:
    text = _TEXTS_BY_KIND.get(error.kind) or ErrorText(REFUSED, refusal_text(error.kind))
    answer = error_page(text, error.status)
    answer.headers.update({name: value for name, value in error.headers.items() if name in _KEPT_HEADERS})
    return answer


def _unavailable(error: Unavailable) -> Response:
    log_outage(error, f"{request.method} {request.path}")
    answer = error_page(OUTAGE, 503)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    return error_page(
        _TEXTS_BY_STATUS.get(code) or ErrorText(REFUSED, lazy_gettext("Please go back and try again.")), code
    )


def _unexpected(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return error_page(INTERNAL_ERROR, 500)


def _unrouted(error: HTTPException) -> BaseResponse:
    """A path without a route belongs to no blueprint: answer browsers with a page and programs with a problem."""
    accepted = request.accept_mimetypes
    if request.path.startswith(BASE) or not accepted or not accepted["text/html"] > accepted["application/json"]:
        return http_error(error)
    session_cookie.read()
    return switch() or declare(session_cookie.write(_http(error)))
