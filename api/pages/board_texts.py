"""The board's texts in a language. It is named, since the feed outlives a request."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from api.board.board_text import BoardText, Said
from api.pages.language import DOMAIN, language
from api.pages.numbers import shown_number
from translations.catalogues import catalogue


@cache
def said_in(language_name: str) -> Said:
    """Says texts in a language; the same function for the same language."""

    def said(text: BoardText) -> str:
        into = catalogue(language_name, DOMAIN)
        if text.many:
            found = into.ngettext(text.text, text.many, text.values["number"])
        else:
            found = into.gettext(text.text) if text.text else ""
        return found.format(**{name: shown(value) for name, value in text.values.items()})

    def shown(value: Any) -> str:
        if isinstance(value, BoardText):
            return said(value)
        return value if isinstance(value, str) else shown_number(value, language_name)

    return said


def said(text: BoardText) -> str:
    """The text in the reader's language."""
    return said_in(language())(text)


FILTERS: Final[Mapping[str, Any]] = {"said": said}
