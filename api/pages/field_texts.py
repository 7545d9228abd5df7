"""What is wrong with a field, in the words of the pages. No text of the API or of a library is shown there."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from api.pages.language import LazyText, lazy_gettext
from api.pages.numbers import shown_number
from api.problems import Refused
from api.schemas.base import errors_of

MISSING: Final = lazy_gettext("Please fill this in.")
INVALID: Final = lazy_gettext("This is not valid. Please check it.")
# A time that is malformed, or outside the years that the API takes.
MOMENT: Final = lazy_gettext("Please enter a date and a time between 2000 and 2199.")
WHOLE_NUMBER: Final = lazy_gettext("Please enter a whole number.")
AMOUNT: Final = lazy_gettext("Please enter an amount, like 49.90.")
# By field of a form, for what no row of _BY_TYPE explains.
SKIPPED: Final = lazy_gettext("This time does not exist: the clocks go forward past it. Please choose another time.")
REPEATED: Final = lazy_gettext("The clocks go back, so this time comes twice. Please choose the first or the second.")


class Unreadable(ValueError):
    """Why what was typed can't be read, as a text for the page."""


BY_FIELD: Final[Mapping[str, LazyText]] = {
    "email": lazy_gettext("Please enter an e-mail address that can receive mail, like ada@example.org."),
    "country": lazy_gettext("Please enter a country’s two letters, like AT."),
    "timeZone": lazy_gettext("Please choose a time zone."),
    "startsAt": MOMENT,
    "endsAt": MOMENT,
    "saleStartsAt": MOMENT,
    "saleEndsAt": MOMENT,
    "price": AMOUNT,
    "amount": AMOUNT,
    "currency": lazy_gettext("Please enter a currency’s three letters, like EUR."),
    "code": lazy_gettext("Please enter the code from the e-mail."),
    "currentPassword": lazy_gettext("This is not your password."),
    "password": lazy_gettext("This password is too easy to guess. A few words are best."),
    "cursor": lazy_gettext("This page of results no longer exists. Please search again."),
    "from": lazy_gettext("Please choose a date."),
    "to": lazy_gettext("Please choose a date."),
}
# By type of pydantic's error, with the numbers of its context.
_BY_TYPE: Final[Mapping[str, LazyText]] = {
    "missing": MISSING,
    "nothing_visible": MISSING,
    "string_too_short": lazy_gettext("At least %(min_length)s characters, please."),
    "string_too_long": lazy_gettext("At most %(max_length)s characters, please."),
    "too_long": lazy_gettext("At most %(max_length)s, please."),
    "greater_than_equal": lazy_gettext("At least %(ge)s, please."),
    "less_than_equal": lazy_gettext("At most %(le)s, please."),
    "ends_before_start": lazy_gettext("The end has to be later than the start."),
    "too_many_seats": lazy_gettext("A section can have at most 10,000 seats."),
    "no_room": lazy_gettext("The last row has no room for so many wheelchairs and companions."),
    "too_many_decimals": lazy_gettext("This has more decimals than the currency."),
}
# By field, for refusals that follow from the event and not from the form alone.
_BY_REFUSED_FIELD: Final = dict.fromkeys(("endsAt", "saleEndsAt"), _BY_TYPE["ends_before_start"]) | {
    "ticketTypes": lazy_gettext(
        "The texts of this event and its ticket types are too long together. Please shorten them."
    ),
}


def validation_texts(error: ValidationError) -> dict[str, str]:
    """The texts for the errors of a model, by field of the form; the name is empty for the whole form."""
    return {_field_of(item): error_text(item) for item in reversed(errors_of(error))}


def error_text(item: Any) -> str:
    """The text for an error of pydantic."""
    kind, context = item["type"], item.get("ctx", {})
    if kind == "string_too_short" and context["min_length"] == 1:
        return str(MISSING)
    if kind in _BY_TYPE:
        numbers = {name: shown_number(value) for name, value in context.items() if isinstance(value, int | float)}
        return str(_BY_TYPE[kind]) % numbers
    return str(BY_FIELD.get(_field_of(item), INVALID))


def refused_field_texts(error: Refused) -> dict[str, str]:
    """The texts for the fields that a refusal names, by field of the form."""
    names = [field_name(fault.pointer) for fault in error.faults] or [""]
    return {name: str(_BY_REFUSED_FIELD.get(name) or BY_FIELD.get(name) or INVALID) for name in names}


def field_of(error: Refused) -> str:
    """The field of the form that a refusal is about; empty for the whole form."""
    return next((field_name(fault.pointer) for fault in error.faults), "")


def field_name(pointer: str) -> str:
    """The field of the form for the pointer of a fault."""
    return pointer.strip("/?").partition("/")[0]


def _field_of(item: Any) -> str:
    """The field of the form: that of the end for two times in the wrong order, ``currency`` for a price's currency."""
    names = [str(part) for part in item["loc"]]
    if item["type"] == "ends_before_start":
        return str(item["ctx"]["field"])
    return "currency" if names[-1:] == ["currency"] else (names or [""])[0]
