"""The answers with which the server refuses by itself, before the application gets a request.

They are problems; a form that is too large is answered with a page, in the browser's language.
"""

from functools import cache
from http import HTTPStatus
from typing import Final

from httptools import HttpParserError
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api.problem_kinds import PROBLEMS
from api.problems import BUSY_FOR_S, MEDIA_TYPE, problem_json
from api.web.raw_response import Fields, RawResponse
from translations.catalogues import catalogue, first_language

FORM_TYPES: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
    'content="light dark"></head><body><h1>{title}</h1><p>{text}</p></body></html>'
)

RETRY_LATER: Final = {"Retry-After": str(BUSY_FOR_S)}


class Refusal(Exception):
    """A request that is refused; ``kind`` is a row of PROBLEMS."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def kind_of(error: HttpParserError) -> str:
    """Why a request can't be parsed: a callback's own refusal, or an error of llhttp."""
    return error.__context__.kind if isinstance(error.__context__, Refusal) else "malformed-request"


def page_language(kind: str, fields: Fields) -> str:
    """The language of the page for a request with these header fields; empty if it is answered with a problem."""
    if kind != "body-too-large" or not fields.get(b"content-type", b"").startswith(FORM_TYPES):
        return ""
    return first_language(parse_accept_header(fields.get(b"accept-language", b"").decode("latin-1"), LanguageAccept))


@cache
def refusal(kind: str, language: str = "") -> RawResponse:
    """The answer, after which the connection ends; a page if there is a ``language``."""
    status = PROBLEMS[kind].status
    more = RETRY_LATER if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    media_type, body = (HTML, _page(language)) if language else (MEDIA_TYPE, problem_json(kind))
    return RawResponse(status, media_type, more, body)


def _page(language: str) -> bytes:
    """In the words of the pages (api/pages/errors.py)."""
    said = catalogue(language, "pages").gettext
    title, text = said("The form is too large"), said("Please shorten what you entered.")
    return _PAGE.format(language=language, title=title, text=text).encode()
