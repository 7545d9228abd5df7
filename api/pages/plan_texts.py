"""Why a seating plan is refused, in the words of the pages."""

import re
from collections.abc import Iterable
from typing import Final

from api.pages.forms import field_errors
from api.pages.language import LazyText, gettext, language, lazy_gettext
from api.pages.plan_forms import UnreadablePlan
from api.problems import Refused
from translations.holder_texts import seat_text

INVALID_PLAN: Final = lazy_gettext("This is not a valid plan. Please check it.")
# What tables/seating/plan.py and api/organizing/seating.py say is wrong with a plan, and how a page says it.
_BY_DETAIL: Final[tuple[tuple[str, LazyText], ...]] = (
    (r"a plan has 1 to \d+ sections, not \d+", lazy_gettext("A plan has 1 to 200 sections.")),
    (r"section (?P<name>\S+) is there twice", lazy_gettext("There are two sections with the name %(name)s.")),
    (
        r"the plan has \d+ seats, which is more than \d+",
        lazy_gettext("A plan has at most 100,000 seats, and a section at most 10,000."),
    ),
    (
        r"section \S+ has \d+ seats, which is more than \d+",
        lazy_gettext("A plan has at most 100,000 seats, and a section at most 10,000."),
    ),
    (
        r"ticket type \S+ is sold by seat and in a general section",
        lazy_gettext("A ticket type is sold either by seat or without a seat: please choose another one."),
    ),
    (
        r"section (?P<name>\S+) has the category \S+, which is no ticket type of the event",
        lazy_gettext("Section %(name)s has a category that is not a ticket type of this event."),
    ),
    (
        r"section (?P<name>\S+) has no seats left",
        lazy_gettext("Section %(name)s has no seats left. Please remove the section instead."),
    ),
    (
        r"row (?P<row>\S+) of section (?P<name>\S+) is there twice",
        lazy_gettext("Section %(name)s has two rows %(row)s."),
    ),
    (r"seat (?P<seat>\S+) is there twice", lazy_gettext("There are two seats: %(seat)s.")),
    (
        r"the drawing has more than \d+ (bytes|elements.*|seats)",
        lazy_gettext("The drawing is too large: at most 2 MB, 50,000 elements and 10,000 seats."),
    ),
    (
        r"row (?P<row>\S+) has more than \d+ seats",
        lazy_gettext("Row %(row)s has more than 500 seats."),
    ),
    (
        r"the drawing declares entities",
        lazy_gettext("The drawing declares entities, which are not taken. Please save it as plain SVG."),
    ),
    (r"the drawing is not well-formed XML", lazy_gettext("This file is not an SVG drawing.")),
    (r"the file is no SVG drawing", lazy_gettext("This file is not an SVG drawing.")),
    (
        r"the drawing has no seats",
        lazy_gettext(
            "The drawing has no seats: each needs the attribute data-seat with its row and number, like A-12."
        ),
    ),
    (
        r"(?P<name>.*) is no seat: write ROW-SEAT",
        lazy_gettext("%(name)s is not the name of a seat: please write row and number, like A-12."),
    ),
    (r"seat (?P<name>\S+) is drawn twice", lazy_gettext("Seat %(name)s is drawn twice.")),
    (
        r"seats (?P<name>\S+) and (?P<other>\S+) are in one place",
        lazy_gettext("Seats %(name)s and %(other)s are in the same place."),
    ),
    (
        r"seat (?P<name>\S+) is moved by a transform or a nested svg",
        lazy_gettext(
            "Seat %(name)s is moved by a transform. Please ungroup the drawing, so that its places are plain."
        ),
    ),
    (r"seat (?P<name>\S+) is outside of the drawing", lazy_gettext("Seat %(name)s is outside of the drawing.")),
    (r"seat (?P<name>\S+) has no size", lazy_gettext("Seat %(name)s has no size.")),
    (
        r"seat (?P<name>\S+) has no number as (?P<field>\w+)",
        lazy_gettext("Seat %(name)s has no valid number as %(field)s."),
    ),
    (r"this event has no seating plan", lazy_gettext("That event has no seating plan.")),
    (
        r"this event has no ticket type '(?P<name>.*)', as the plan of the other one has",
        lazy_gettext("This event has no ticket type “%(name)s”, which the plan of the other one needs."),
    ),
)


def plan_errors(error: Refused) -> list[str]:
    """The texts for a refused change of a plan. Raises ``not-found`` again."""
    if error.kind == "not-found":
        raise error
    if isinstance(error, UnreadablePlan):
        return list(error.texts)
    if error.kind == "seats-taken":
        names = "; ".join(seat_text(language(), name) for name in error.extra["seats"])
        return [
            gettext("Nothing was changed, since these seats are held or sold and would change or be gone: %(seats)s.")
            % {"seats": names}
        ]
    if error.kind == "invalid-input" and error.faults:
        return list(_fault_texts(fault.detail for fault in error.faults))
    return list(field_errors(error).values())


def _fault_texts(details: Iterable[str]) -> Iterable[str]:
    for detail in details:
        for pattern, text in _BY_DETAIL:
            if match := re.fullmatch(pattern, detail, re.DOTALL):
                found = match.groupdict()
                if "seat" in found:
                    found["seat"] = seat_text(language(), found["seat"])
                yield str(text) % found
                break
        else:
            yield str(INVALID_PLAN)
