"""The page on which seats are chosen: the drawing of a section, and beside it a list by row."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request

from api.organizing.seating import Section, seats_of
from api.pages.refusal_texts import refusal_text
from api.pages.seat_selection import CHOSEN_MAX_SEATS, SEAT_FIELD, chosen_seats
from api.pages.status_labels import event_label
from api.pages.ticket_selection import order_key
from api.ports.ports import ports
from api.ports.seating import Outline
from api.problems import Refused
from api.routes.events import shown_event
from api.schemas.seating import SEAT_WIDTH, SeatingSection, Seats
from api.schemas.ticket import TicketType

seats = Blueprint("seats", __name__)

# Pixels of the drawing for a unit of the plan, so that a seat is large enough for a finger.
SCALE: Final = 2.6
# As many colours as are told apart by everybody.
COLOURS: Final = 6


class ShownSeat(NamedTuple):
    """A seat: ``bit`` is its number in the section, ``colour`` that of its ticket type."""

    name: str
    label: str
    x: int
    y: int
    bit: int
    colour: int
    kind: str
    is_obstructed: bool
    is_taken: bool
    is_chosen: bool
    is_near: bool


class ShownRow(NamedTuple):
    """A row of seats."""

    label: str
    seats: Sequence[ShownSeat]


class ShownType(NamedTuple):
    """A ticket type of a section, with the number of its colour."""

    ticket: TicketType
    colour: int


class Drawing(NamedTuple):
    """The rectangle of the plan that is drawn, and its size in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Its width on the page."""
        return round(self.width * SCALE)


@seats.get("/events/<uuid:event_id>/seats")
def choose_seats(event_id: UUID) -> Response:
    """A section and its free seats. The URL may have the chosen seats, and why an order was refused."""
    event, plan = shown_event(event_id), ports().seating.outline(event_id)
    if plan is None or not plan.seated:
        raise Refused("not-found")
    section = _section(event_id, plan)
    taken = ports().seating.seats(event_id, -1)
    types = _types(event_id, section)
    rows = _rows(section, _taken_bits(section["name"], taken), {str(each.ticket.id): each.colour for each in types})
    refused = request.args.get("refused")
    text = render_template(
        "seats.html",
        event=event,
        closed=event_label(event, ports().clock()),
        sections=_sections(plan, taken),
        section=section,
        types=types,
        rows=rows,
        drawing=_drawing(rows),
        offset=taken.offset if taken else -1,
        plan=plan.version,
        order_key=order_key(request.args),
        refused=refusal_text(refused) if refused else None,
        gone=request.args.getlist("gone")[:CHOSEN_MAX_SEATS],
        near=request.args.getlist("near")[:CHOSEN_MAX_SEATS],
        seat_field=SEAT_FIELD,
        most=CHOSEN_MAX_SEATS,
    )
    return make_response(text)


def _section(event: UUID, plan: Outline) -> Section:
    """The section that the URL names; else the first one with seats of the ticket type that it names. Refused."""
    kind = request.args.get("type")
    names = (
        [request.args["section"]] if "section" in request.args else [each.name for each in plan.sections if each.seats]
    )
    for name in names:
        section = ports().seating.section(event, name)
        if section and any(kind in (None, seat["category"]) for _, seat in seats_of(section)):
            return section
    raise Refused("not-found")


def _sections(plan: Outline, taken: Seats | None) -> list[tuple[SeatingSection, int]]:
    """The sections with seats, and how many are free."""
    free = {each.name: each.free for each in taken.sections} if taken else {}
    return [(each, free.get(each.name, each.seats)) for each in plan.sections if each.seats]


def _taken_bits(name: str, taken: Seats | None) -> int:
    found = next((each.taken for each in taken.sections if each.name == name), "") if taken else ""
    return int.from_bytes(b64decode(found), "little")


def _types(event: UUID, section: Section) -> list[ShownType]:
    known = {str(ticket.id): ticket for ticket in ports().events.tickets(event) or ()}
    found = dict.fromkeys(seat["category"] for _, seat in seats_of(section))
    return [ShownType(known[kind], place % COLOURS) for place, kind in enumerate(found) if kind in known]


def _rows(section: Section, taken: int, colours: dict[str, int]) -> list[ShownRow]:
    chosen, near = set(chosen_seats()), set(request.args.getlist("near"))
    numbered = iter(enumerate(seats_of(section)))

    def shown(bit: int, name: str, seat: dict[str, Any]) -> ShownSeat:
        is_taken = bool(taken >> bit & 1)
        kind, colour = seat.get("kind", "standard"), colours.get(seat["category"], 0)
        place = seat["label"], seat["x"], seat["y"], bit, colour, kind
        states = seat.get("obstructed", False), is_taken, name in chosen and not is_taken, name in near
        return ShownSeat(name, *place, *states)

    return [
        ShownRow(row["label"], [shown(bit, *named) for _, (bit, named) in zip(row["seats"], numbered, strict=False)])
        for row in section["rows"]
    ]


def _drawing(rows: Sequence[ShownRow]) -> Drawing:
    places = [(seat.x, seat.y) for row in rows for seat in row.seats]
    left, top = min(x for x, _ in places) - SEAT_WIDTH, min(y for _, y in places) - SEAT_WIDTH
    right, bottom = max(x for x, _ in places) + SEAT_WIDTH, max(y for _, y in places) + SEAT_WIDTH
    return Drawing(left, top, right - left, bottom - top)
