"""The template filters for counted nouns."""

from collections.abc import Mapping
from typing import Any, Final

from api.pages.language import ngettext
from api.pages.numbers import shown_number
from tables.text.sanitize import sanitize


def tickets(number: int) -> str:
    """``1 ticket``, ``2 tickets``."""
    return ngettext("%(number)s ticket", "%(number)s tickets", number) % {"number": shown_number(number)}


def events(number: int) -> str:
    """``1 event``, ``2 events``."""
    return ngettext("%(number)s event", "%(number)s events", number) % {"number": shown_number(number)}


def people(number: int) -> str:
    """``1 person``, ``2 people``."""
    return ngettext("%(number)s person", "%(number)s people", number) % {"number": shown_number(number)}


def purchases(number: int) -> str:
    """``1 purchase``, ``2 purchases``."""
    return ngettext("%(number)s purchase", "%(number)s purchases", number) % {"number": shown_number(number)}


FILTERS: Final[Mapping[str, Any]] = {
    "tickets": tickets,
    "events": events,
    "people": people,
    "purchases": purchases,
    "plain": sanitize,
}
