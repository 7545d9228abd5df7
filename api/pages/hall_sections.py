"""The organizer's page of a section: its drawing and list of seats; seats are marked, sold as another type, removed."""

from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import managed_event
from api.organizing.plan_edits import section_named, with_seats_changed, with_section, with_title
from api.organizing.seating import Section, seats_of
from api.pages.forms import UnreadableForm, parse_body
from api.pages.hall_plans import put_on_version
from api.pages.language import gettext
from api.pages.plan_forms import SEAT_CHANGES, seat_change
from api.pages.plan_texts import plan_errors
from api.pages.seat_drawing import SHAPES, drawing_of
from api.pages.seat_selection import SEAT_FIELD
from api.pages.section_view import shown_rows, shown_types, taken_bits
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.event import Event
from api.schemas.seating import GeneralSection

hall_sections = Blueprint("hall_sections", __name__)


@hall_sections.get("/organize/events/<uuid:event_id>/seating/section")
def show_section(event_id: UUID) -> Response:
    """The section that the URL names."""
    return _page(managed_event(event_id), request.args.get("section", ""))


@hall_sections.post("/organize/events/<uuid:event_id>/seating/section")
def mark_seats(event_id: UUID) -> BaseResponse:
    """Make something else of the chosen seats, or of all of them."""
    chosen, asked = set(request.form.getlist(SEAT_FIELD)), request.form.get("become", "")

    def decide(section: Section) -> Section:
        names = {name for name, _ in seats_of(section)}
        wanted = names if "all" in request.form else chosen & names
        if not wanted:
            raise UnreadableForm({"": gettext("Please choose at least one seat.")})
        return with_seats_changed(section, wanted, seat_change(asked, section))

    return _change(event_id, decide, chosen)


@hall_sections.post("/organize/events/<uuid:event_id>/seating/title")
def name_section(event_id: UUID) -> BaseResponse:
    """Give the section a title, or none."""

    def decide(section: Section) -> Section:
        named = {"name": section["name"], "category": section["category"], "title": request.form.get("title") or None}
        return with_title(section, parse_body(GeneralSection, named).title)

    return _change(event_id, decide)


def _change(event_id: UUID, decide: Callable[[Section], Section], chosen: Collection[str] = ()) -> BaseResponse:
    """Change the section that the form names, or show why not."""
    event, name = managed_event(event_id), request.form.get("section", "")
    try:
        put_on_version(event_id, lambda now: with_section(now.sections, decide(section_named(now.sections, name))))
    except Refused as error:
        return _page(event, name, chosen, plan_errors(error), error.status)
    return redirect(f"/organize/events/{event_id}/seating/section?{urlencode({'section': name})}", 303)


def _page(
    event: Event, name: str, chosen: Collection[str] = (), refused: Sequence[str] = (), status: int = 200
) -> Response:
    section = ports().seating.section(event.id, name)
    if section is None:
        raise Refused("not-found")
    tickets = ports().events.tickets(event.id) or ()
    types = shown_types(tickets, section)
    taken = taken_bits(name, ports().seating.seats(event.id, -1))
    rows = shown_rows(section, types, taken=taken, chosen=chosen)
    text = render_template(
        "hall_section.html",
        event=event,
        section=section,
        tickets=tickets,
        types=types,
        rows=rows,
        kinds={seat.kind for row in rows for seat in row.seats},
        taken=taken.bit_count(),
        drawing=drawing_of(rows) if rows else None,
        shapes=SHAPES,
        changes=SEAT_CHANGES,
        seat_field=SEAT_FIELD,
        refused=refused,
    )
    return make_response(text, status)
