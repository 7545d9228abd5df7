"""What holders are told of their tickets: the same words on pages, in mails and in calendar files."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from translations.catalogues import catalogue

DOMAIN: Final = "holders"
NOTED_MAX_SEATS: Final = 50


def returned_text(language: str, returned: int, left: int) -> str:
    """That so many tickets of a purchase were given back, and so many are left."""
    text = catalogue(language, DOMAIN).ngettext(
        "{returned} of {bought} tickets returned", "{returned} of {bought} tickets returned", returned
    )
    return text.format(returned=returned, bought=returned + left)


def postponed_text(language: str, former: str = "") -> str:
    """That an event is postponed, and what becomes of its tickets; ``former`` is the date that no longer applies."""
    into = catalogue(language, DOMAIN)
    if not former:
        return into.gettext(
            "This event is postponed. Its date may no longer apply; we will e-mail you the new one. "
            "Your tickets stay valid."
        )
    return into.gettext(
        "This event is postponed. It was planned for {former}. Ticket holders will get the new date by e-mail. "
        "Tickets stay valid."
    ).format(former=former)


def moved_text(language: str, former: str) -> str:
    """That an event has a new date, and what becomes of its tickets."""
    text = catalogue(language, DOMAIN).gettext(
        "This event has a new date. It was planned for {former}. Tickets stay valid."
    )
    return text.format(former=former)


def seat_text(language: str, seat: str) -> str:
    """Where a seat is; ``seat`` is its name, SECTION-ROW-SEAT."""
    section, _, rest = seat.partition("-")
    row, _, number = rest.partition("-")
    text = catalogue(language, DOMAIN).gettext("Section {section}, row {row}, seat {seat}")
    return text.format(section=section, row=row, seat=number)


def calendar_notes(language: str, *, returned: int, left: int, event_note: str, seats: Iterable[str] = ()) -> list[str]:
    """What the entry of a purchase says besides time and place; of many seats, the first ones.

    ``event_note`` may be empty.
    """
    noted = [seat_text(language, seat) for seat in islice(seats, NOTED_MAX_SEATS)]
    returned_note = f"{returned_text(language, returned, left)}." if returned else ""
    return [note for note in (*noted, returned_note, event_note) if note]
