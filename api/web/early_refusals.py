"""The answers with which the server refuses by itself, before the application gets a request.

They are problems; a form that is too large is answered with a page, in the browser's language.
"""

from functools import cache
from http import HTTPStatus
from typing import Final

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api.problems import Refused
from api.web.raw_response import Fields, RawResponse, refused
from translations.catalogues import catalogue, first_language

FORM_TYPES: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
    'content="light dark"></head><body><h1>{title}</h1><p>{text}</p></body></html>'
)


def refusal(error: Refused, fields: Fields) -> RawResponse:
    """The answer to a request with these header fields, as far as they have come."""
    if error.kind != "body-too-large" or not fields.get(b"content-type", b"").startswith(FORM_TYPES):
        return refused(error)
    accepted = parse_accept_header(fields.get(b"accept-language", b"").decode("latin-1"), LanguageAccept)
    return _page(first_language(accepted))


@cache
def _page(language: str) -> RawResponse:
    """In the words of the pages (api/pages/errors.py)."""
    said = catalogue(language, "pages").gettext
    title, text = said("The form is too large"), said("Please shorten what you entered.")
    page = _PAGE.format(language=language, title=title, text=text)
    return RawResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTML, {}, page.encode())
