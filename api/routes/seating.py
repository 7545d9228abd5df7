"""Seating plans of events, and which seats are taken."""

from typing import Final
from uuid import UUID

import msgspec
from flask import Response, request

from api.organizing.callers_events import shown_event
from api.organizing.callers_plans import Decide, copy_of, no_plan, put_plan
from api.organizing.plan_edits import section_or_new, with_section, with_title
from api.organizing.seating import Section, seats_of, sections_of
from api.organizing.seating_generator import generated
from api.organizing.section_drawing import drawn_section, read_drawing
from api.ports.events import Listing
from api.ports.ports import ports
from api.ports.seating import SeatingNow
from api.schemas.event import EventPath
from api.schemas.seating import (
    NewSeating,
    Seating,
    SeatingCopy,
    SeatingGenerator,
    SeatingSection,
    Seats,
    SeatsQuery,
    SectionDrawing,
)
from api.web.deferred import streamed
from api.web.etags import check_match, tagged
from api.web.raw_response import JSON
from api.web.responses import IF_MATCH, WITH_BODY, WITH_MATCH, answers, blueprint

seating = blueprint("seating", "seating")

DIGITS_MAX: Final = 19
_STREAM: Final = {
    "description": "server-sent events",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
_CHANGED = answers({200: Seating}, *WITH_BODY, *WITH_MATCH, "not-found", "seats-taken", "too-many-plans")


@seating.put(
    "/events/<uuid:eventId>/seating",
    summary="Put a seating plan",
    responses=_CHANGED | answers({}, "uploads-busy"),
    openapi_extensions=IF_MATCH,
)
def replace_seating(path: EventPath, body: NewSeating) -> Response:
    """Instead of the present one, with the next version of the event. At most 100,000 seats, and 8 MiB.

    A seat that is held or sold stays as it is. `If-Match` names the event's version.
    """
    sections = sections_of(body)
    return _change(path.event_id, lambda _: sections)


@seating.post(
    "/events/<uuid:eventId>/seating/generate",
    summary="Generate a seating plan",
    responses=_CHANGED | answers({}, "uploads-busy"),
    openapi_extensions=IF_MATCH,
)
def generate_seating(path: EventPath, body: SeatingGenerator) -> Response:
    """Rectangles of rows and seats, with aisles, numbered by a scheme; put as by PUT."""
    return _change(path.event_id, lambda _: generated(body))


@seating.post(
    "/events/<uuid:eventId>/seating/copy",
    summary="Copy a seating plan",
    responses=_CHANGED,
    openapi_extensions=IF_MATCH,
)
def copy_seating(path: EventPath, body: SeatingCopy) -> Response:
    """The plan of another event that is the caller's; ticket types are found by their names. Put as by PUT."""
    return _change(path.event_id, copy_of(body.copy_from))


@seating.post(
    "/events/<uuid:eventId>/seating/draw",
    summary="Draw a section",
    responses=_CHANGED | answers({}, "uploads-busy"),
    openapi_extensions=IF_MATCH,
)
def draw_section(path: EventPath, body: SectionDrawing) -> Response:
    """An SVG drawing says where the seats of a section are; other sections stay. Put as by PUT, and at most 2 MiB."""
    seats = read_drawing(body.svg.encode(), "utf-8")

    def decide(now: SeatingNow) -> list[Section]:
        section = section_or_new(now.sections, body.section, body.category)
        named = with_title(section, body.title) if body.title else section
        return with_section(now.sections, drawn_section(seats, named))

    return _change(path.event_id, decide)


@seating.get(
    "/events/<uuid:eventId>/seating",
    summary="Read a seating plan",
    responses=answers({200: NewSeating, 304: None}, "not-found"),
)
def read_seating(path: EventPath) -> Response:
    """The whole plan, as it was put. Its `ETag` is the plan's version."""
    shown_event(path.event_id)
    plan = ports().seating.plan(path.event_id)
    if plan is None:
        raise no_plan(path.event_id)
    tag = {"ETag": f'"{plan.version}"'}
    if request.if_none_match.contains_weak(str(plan.version)):
        return Response(status=304, headers=tag)
    return Response(msgspec.json.encode({"sections": plan.sections}), headers=tag, mimetype=JSON)


@seating.delete(
    "/events/<uuid:eventId>/seating",
    summary="Delete a seating plan",
    responses=answers({204: None}, *WITH_MATCH, "not-found", "seats-taken"),
    openapi_extensions=IF_MATCH,
)
def delete_seating(path: EventPath) -> Response:
    """While no seat is held or sold. Its ticket types are sold by number again."""
    _put(path.event_id, lambda _: [])
    return Response(status=204)


@seating.get(
    "/events/<uuid:eventId>/seats",
    summary="Which seats are taken",
    responses=answers({200: Seats, 304: None}, "not-found", "invalid-input"),
)
def read_seats(path: EventPath, query: SeatsQuery) -> Response:
    """By section, a bit for each seat in the order of the plan. At most a second old; the ledger alone decides.

    With `?since=offset` only the sections that changed since the `offset` of an earlier answer.
    """
    shown_event(path.event_id)
    found = ports().seating.seats(path.event_id, query.since)
    if found is None:
        raise no_plan(path.event_id)
    free = sum(section.free for section in found.sections)
    return tagged(found, f"{found.plan}-{found.offset}-{free}")


@seating.get(
    "/events/<uuid:eventId>/seats/changes",
    summary="Follow which seats are taken",
    responses=answers({}, "not-found", "invalid-input", "busy") | {"200": _STREAM},
)
def follow_seats(path: EventPath, query: SeatsQuery) -> Response:
    """Server-sent events with the body of `GET …/seats`: all sections at once, then those that change.

    An event's `id` is its offset; `Last-Event-ID` or `?since=` goes on from there. A stream ends after ten minutes.
    """
    shown_event(path.event_id)
    if ports().seating.outline(path.event_id) is None:
        raise no_plan(path.event_id)
    last = request.headers.get("Last-Event-ID", "")
    since = int(last) if last.isascii() and last.isdecimal() and len(last) < DIGITS_MAX else query.since
    return streamed(ports().seating.follow(path.event_id, since))


def _put(event: UUID, decide: Decide) -> tuple[Listing, list[Section]]:
    """Put a plan if the event has the version that the request names."""

    def decide_on_match(now: SeatingNow) -> list[Section]:
        check_match(now.listing.event.version)
        return decide(now)

    return put_plan(event, decide_on_match)


def _change(event: UUID, decide: Decide) -> Response:
    after, sections = _put(event, decide)
    short = [
        SeatingSection(name=each["name"], title=each.get("title"), seats=sum(1 for _ in seats_of(each)))
        for each in sections
    ]
    version, total = after.event.version, sum(section.seats for section in short)
    return tagged(Seating(event_id=event, plan=version, seats=total, sections=short), version)
