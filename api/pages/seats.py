"""The page on which seats are chosen, section by section: the drawing, and beside it a list by row."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import shown_event
from api.organizing.seating import Section, seats_of
from api.pages.offers import shown_offers
from api.pages.refusal_texts import shown_refusal
from api.pages.seat_drawing import SHAPES, drawing_of
from api.pages.seat_selection import CHOSEN_MAX_SEATS, SEAT_FIELD, chosen_seats, seats_url
from api.pages.section_view import shown_rows, shown_types, taken_bits
from api.pages.status_labels import event_label
from api.pages.ticket_selection import FIELD_PREFIX, chosen_quantities, order_key
from api.ports.ports import ports
from api.ports.seating import Outline
from api.problems import Refused
from api.schemas.seating import SeatingSection, Seats

seats = Blueprint("seats", __name__)

# The field of the buttons that show another section.
SECTION_BUTTON = "to"


class SeatElsewhere(NamedTuple):
    """A chosen seat of a section that is not shown; ``bit`` is its number in that section."""

    name: str
    section: str
    bit: int
    is_taken: bool


@seats.get("/events/<uuid:event_id>/seats")
def choose_seats(event_id: UUID) -> str:
    """A section and its free seats. The URL may have the chosen seats, and why an order was refused."""
    event, plan = shown_event(event_id), ports().seating.outline(event_id)
    if plan is None or not plan.seated:
        raise Refused("not-found")
    section = _section(event_id, plan)
    taken = ports().seating.seats(event_id, -1)
    types = shown_types(ports().events.tickets(event_id) or (), section)
    chosen, gone, near = chosen_seats(), _named("gone"), _named("near")
    bits = taken_bits(section["name"], taken)
    rows = shown_rows(section, types, taken=bits, chosen=set(chosen), near=set(near))
    return render_template(
        "seats.html",
        event=event,
        closed=event_label(event, ports().clock()),
        sections=_sections(plan, taken),
        section=section,
        types=types,
        rows=rows,
        kinds={seat.kind for row in rows for seat in row.seats},
        drawing=drawing_of(rows),
        shapes=SHAPES,
        elsewhere=_elsewhere(event_id, section["name"], chosen, taken),
        counted=[offer for offer in shown_offers(event, chosen_quantities()) if offer.ticket.id not in plan.seated],
        field_prefix=FIELD_PREFIX,
        offset=taken.offset if taken else -1,
        plan=plan.version,
        order_key=order_key(request.args),
        refusal=request.args.get("refused"),
        refused=shown_refusal(),
        gone=gone,
        near=near,
        instead=seats_url(event_id, section["name"], [seat for seat in (*chosen, *near) if seat not in gone]),
        seat_field=SEAT_FIELD,
        section_button=SECTION_BUTTON,
        most=CHOSEN_MAX_SEATS,
    )


@seats.post("/events/<uuid:event_id>/seats")
def change_section(event_id: UUID) -> BaseResponse:
    """Redirect to another section, with what is chosen so far."""
    shown_event(event_id)
    return redirect(seats_url(event_id, request.form.get(SECTION_BUTTON, ""), chosen_seats()), 303)


def _section(event: UUID, plan: Outline) -> Section:
    """The section that the URL names; else the first one with seats of the ticket type that it names. Refused."""
    kind = request.args.get("type")
    asked = request.args.get(SECTION_BUTTON) or request.args.get("section") or ""
    for name in (asked, *(each.name for each in plan.sections if each.seats)):
        section = ports().seating.section(event, name)
        if section and any(kind in (None, seat["category"]) for _, seat in seats_of(section)):
            return section
    raise Refused("not-found")


def _named(field: str) -> list[str]:
    return request.args.getlist(field)[:CHOSEN_MAX_SEATS]


def _sections(plan: Outline, taken: Seats | None) -> list[tuple[SeatingSection, int]]:
    """The sections with seats, and how many are free."""
    free = {each.name: each.free for each in taken.sections} if taken else {}
    return [(each, free.get(each.name, each.seats)) for each in plan.sections if each.seats]


def _elsewhere(event: UUID, shown: str, chosen: Sequence[str], taken: Seats | None) -> list[SeatElsewhere]:
    """The chosen seats of other sections; those that are not in the plan are left out."""
    found: list[SeatElsewhere] = []
    wanted = [name for name in chosen if name.partition("-")[0] != shown]
    for section in dict.fromkeys(name.partition("-")[0] for name in wanted):
        known = ports().seating.section(event, section) or {"name": section}
        bits = {name: bit for bit, (name, _) in enumerate(seats_of(known))} if "category" in known else {}
        out = taken_bits(section, taken)
        names = [name for name in wanted if name in bits]
        found += [SeatElsewhere(name, section, bits[name], bool(out >> bits[name] & 1)) for name in names]
    return found
