"""The organizer's page of an event's seating plan: sections are generated, copied, uploaded, removed."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec
from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import managed_event
from api.organizing.callers_plans import Decide, copy_of, no_plan, put_plan
from api.organizing.plan_edits import section_or_new, with_section, without_section
from api.organizing.seating import Section
from api.organizing.section_drawing import drawn_section, read_drawing
from api.pages.forms import UnreadableForm, form_fields
from api.pages.organizer import check_version
from api.pages.plan_forms import Fields, read_plan, typed_drawing, typed_section
from api.pages.plan_texts import plan_errors
from api.ports.ports import ports
from api.ports.seating import SeatingNow
from api.problems import Refused
from api.schemas.event import Event
from api.web.authentication import caller
from api.web.raw_response import JSON

hall_plans = Blueprint("hall_plans", __name__)

# Of the organizer's newest events, as many are looked at for plans to copy.
COPIED_MAX_EVENTS: Final = 50
USUAL: Final[dict[str, str]] = {"numbering": "all", "numberedFrom": "left", "rowsBy": "letters"}


@hall_plans.get("/organize/events/<uuid:event_id>/seating")
def show_plan(event_id: UUID) -> Response:
    """The sections of the plan, and the forms that change it."""
    return _page(managed_event(event_id))


@hall_plans.post("/organize/events/<uuid:event_id>/seating/generate")
def generate(event_id: UUID) -> BaseResponse:
    """Put a generated section into the plan, in the place of the one with its name if there is one."""
    sent = form_fields()

    def make() -> Decide:
        section = typed_section(sent)
        return lambda now: with_section(now.sections, section)

    return _change(event_id, make, USUAL | sent)


@hall_plans.post("/organize/events/<uuid:event_id>/seating/copy")
def copy(event_id: UUID) -> BaseResponse:
    """Replace the plan by that of another event of the organizer."""

    def make() -> Decide:
        try:
            return copy_of(UUID(request.form.get("from", "")))
        except ValueError as error:
            raise Refused("invalid-input") from error

    return _change(event_id, make)


@hall_plans.post("/organize/events/<uuid:event_id>/seating/upload")
def upload(event_id: UUID) -> BaseResponse:
    """Replace the plan by that of a JSON file."""

    def make() -> Decide:
        found = request.files.get("plan")
        sections = read_plan(found.read() if found else b"")
        return lambda _: sections

    return _change(event_id, make)


@hall_plans.post("/organize/events/<uuid:event_id>/seating/draw")
def draw(event_id: UUID) -> BaseResponse:
    """Put a section into the plan whose seats are where an SVG drawing has them."""
    sent = form_fields()

    def make() -> Decide:
        asked = typed_drawing(sent)
        found = request.files.get("drawing")
        seats = read_drawing(found.read() if found else b"")
        return lambda now: with_section(
            now.sections, drawn_section(seats, section_or_new(now.sections, asked.name, asked.category))
        )

    return _change(event_id, make, USUAL | sent)


@hall_plans.post("/organize/events/<uuid:event_id>/seating/remove")
def remove(event_id: UUID) -> BaseResponse:
    """Remove a section, or the whole plan."""
    name = request.form.get("section")
    return _change(event_id, lambda: lambda now: without_section(now.sections, name) if name else [])


@hall_plans.get("/organize/events/<uuid:event_id>/seating.json")
def download(event_id: UUID) -> Response:
    """The plan as a file, as it may be uploaded again."""
    managed_event(event_id)
    plan = ports().seating.plan(event_id)
    if plan is None:
        raise no_plan(event_id)
    answer = Response(msgspec.json.format(msgspec.json.encode({"sections": plan.sections})), mimetype=JSON)
    answer.headers["Content-Disposition"] = f'attachment; filename="seating-{event_id}.json"'
    return answer


def put_on_version(event_id: UUID, decide: Decide) -> None:
    """Put a plan if the event still has the form's version. Refused: precondition-failed, as ``put_plan``."""
    version = request.form.get("version")

    def decide_on_version(now: SeatingNow) -> list[Section]:
        check_version(now.listing.event, version)
        return decide(now)

    put_plan(event_id, decide_on_version)


def _change(event_id: UUID, make: Callable[[], Decide], given: Fields = USUAL) -> BaseResponse:
    """Change the plan, or show why not. ``make`` reads the form, before the event is locked."""
    event = managed_event(event_id)
    try:
        put_on_version(event_id, make())
    except Refused as error:
        status = error.status
        if isinstance(error, UnreadableForm):
            return _page(event, given, errors=error.texts, status=status)
        return _page(event, given, refused=plan_errors(error), status=status)
    return redirect(f"/organize/events/{event_id}/seating", 303)


def _page(
    event: Event,
    given: Fields = USUAL,
    *,
    errors: Fields | None = None,
    refused: Sequence[str] = (),
    status: int = 200,
) -> Response:
    plan = ports().seating.outline(event.id)
    taken = ports().seating.seats(event.id, -1) if plan else None
    free = {each.name: each.free for each in taken.sections} if taken else {}
    sections = plan.sections if plan else ()
    text = render_template(
        "hall_plan.html",
        event=event,
        sections=[(each, each.seats - free.get(each.name, each.seats)) for each in sections],
        types=ports().events.tickets(event.id) or (),
        others=_events_with_plan(event),
        given=given,
        errors=errors or {},
        refused=refused,
    )
    return make_response(text, status)


def _events_with_plan(event: Event) -> list[Event]:
    """The organizer's newest events that have a plan to copy."""
    found = ports().events.list(
        COPIED_MAX_EVENTS,
        None,
        organizer=caller().account,
        status=None,
        drafts_of=caller().account,
        all_drafts=False,
    )
    others = [each for each in found if isinstance(each, Event) and each.id != event.id]
    return [each for each in others if ports().seating.outline(each.id) is not None]
