"""The template filters for counted nouns."""

from collections.abc import Mapping
from typing import Any, Final

from api.pages.language import ngettext
from api.pages.numbers import shown_number
from tables.text.sanitize import sanitize


def _counted(text: str, number: int) -> str:
    return text % {"number": shown_number(number)}


FILTERS: Final[Mapping[str, Any]] = {
    "tickets": lambda number: _counted(ngettext("%(number)s ticket", "%(number)s tickets", number), number),
    "events": lambda number: _counted(ngettext("%(number)s event", "%(number)s events", number), number),
    "people": lambda number: _counted(ngettext("%(number)s person", "%(number)s people", number), number),
    "purchases": lambda number: _counted(ngettext("%(number)s purchase", "%(number)s purchases", number), number),
    "plain": sanitize,
}
