"""Why a seating plan is refused, in the words of the pages."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from api.organizing.seating import PlanRefused
from api.organizing.section_drawing import DrawingFault
from api.pages.forms import field_errors
from api.pages.language import LazyText, gettext, language, lazy_gettext
from api.pages.plan_forms import UnreadablePlan
from api.problems import Refused
from tables.seating.plan_faults import PlanFault
from translations.holder_texts import seat_text

INVALID_PLAN: Final = lazy_gettext("This is not a valid plan. Please check it.")
_TOO_MANY_SEATS: Final = lazy_gettext("A plan has at most 100,000 seats, and a section at most 10,000.")
_DRAWING_TOO_LARGE: Final = lazy_gettext("The drawing is too large: at most 2 MB, 50,000 elements and 10,000 seats.")
_NO_DRAWING: Final = lazy_gettext("This file is not an SVG drawing.")
# No form leads to the faults that are missing here.
FAULT_TEXTS: Final[Mapping[StrEnum, LazyText]] = {
    PlanFault.SECTION_COUNT: lazy_gettext("A plan has 1 to %(limit)s sections."),
    PlanFault.SECTION_TWICE: lazy_gettext("There are two sections with the name %(name)s."),
    PlanFault.HALL_TOO_LARGE: _TOO_MANY_SEATS,
    PlanFault.SECTION_TOO_LARGE: _TOO_MANY_SEATS,
    PlanFault.SOLD_BOTH_WAYS: lazy_gettext(
        "A ticket type is sold either by seat or without a seat: please choose another one."
    ),
    PlanFault.UNKNOWN_CATEGORY: lazy_gettext(
        "Section %(name)s has a category that is not a ticket type of this event."
    ),
    PlanFault.NO_SEATS_LEFT: lazy_gettext("Section %(name)s has no seats left. Please remove the section instead."),
    PlanFault.ROW_TWICE: lazy_gettext("Section %(name)s has two rows %(row)s."),
    PlanFault.SEAT_TWICE: lazy_gettext("There are two seats: %(seat)s."),
    PlanFault.NO_PLAN: lazy_gettext("That event has no seating plan."),
    PlanFault.NO_SUCH_TICKET_TYPE: lazy_gettext(
        "This event has no ticket type “%(name)s”, which the plan of the other one needs."
    ),
    DrawingFault.TOO_MANY_BYTES: _DRAWING_TOO_LARGE,
    DrawingFault.TOO_MANY_ELEMENTS: _DRAWING_TOO_LARGE,
    DrawingFault.TOO_MANY_SEATS: _DRAWING_TOO_LARGE,
    DrawingFault.ROW_TOO_LONG: lazy_gettext("Row %(row)s has more than 500 seats."),
    DrawingFault.HAS_ENTITIES: lazy_gettext(
        "The drawing declares entities, which are not taken. Please save it as plain SVG."
    ),
    DrawingFault.NOT_XML: _NO_DRAWING,
    DrawingFault.NOT_SVG: _NO_DRAWING,
    DrawingFault.NO_SEATS: lazy_gettext(
        "The drawing has no seats: each needs the attribute data-seat with its row and number, like A-12."
    ),
    DrawingFault.NO_SEAT_NAME: lazy_gettext(
        "%(name)s is not the name of a seat: please write row and number, like A-12."
    ),
    DrawingFault.SEAT_TWICE: lazy_gettext("Seat %(name)s is drawn twice."),
    DrawingFault.SAME_PLACE: lazy_gettext("Seats %(name)s and %(other)s are in the same place."),
    DrawingFault.SEAT_MOVED: lazy_gettext(
        "Seat %(name)s is moved by a transform. Please ungroup the drawing, so that its places are plain."
    ),
    DrawingFault.SEAT_OUTSIDE: lazy_gettext("Seat %(name)s is outside of the drawing."),
    DrawingFault.SEAT_WITHOUT_SIZE: lazy_gettext("Seat %(name)s has no size."),
    DrawingFault.NOT_A_NUMBER: lazy_gettext("Seat %(name)s has no valid number as %(field)s."),
}


def plan_errors(error: Refused) -> list[str]:
    """The texts for a refused change of a plan. Raises ``not-found`` again."""
    if error.kind == "not-found":
        raise error
    if isinstance(error, UnreadablePlan):
        return list(error.texts)
    if isinstance(error, PlanRefused):
        return [_fault_text(error)]
    if error.kind == "seats-taken":
        names = "; ".join(seat_text(language(), name) for name in error.extra["seats"])
        return [
            gettext("Nothing was changed, since these seats are held or sold and would change or be gone: %(seats)s.")
            % {"seats": names}
        ]
    if error.kind == "invalid-input" and error.faults:
        return [str(INVALID_PLAN)]
    return list(field_errors(error).values())


def _fault_text(error: PlanRefused) -> str:
    figures = dict(error.figures)
    if "seat" in figures:
        figures["seat"] = seat_text(language(), figures["seat"])
    return str(FAULT_TEXTS.get(error.fault, INVALID_PLAN)) % figures
