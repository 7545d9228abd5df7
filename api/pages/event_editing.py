"""Forms that create and change events and ticket types by the rules of the REST routes."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import managed_event
from api.organizing.changes import (
    changed,
    given,
    new_listing,
    ticket_of,
    with_ticket,
    with_ticket_changed,
    without_ticket,
)
from api.pages.event_forms import (
    TIME_FIELDS,
    event_change,
    event_form,
    new_event,
    new_ticket,
    ticket_change,
    ticket_form,
)
from api.pages.forms import field_errors, form_errors, form_fields
from api.pages.local_times import repeated
from api.pages.organizer import change_on_version, check_version
from api.ports.events import Listing
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.event import Event
from api.schemas.ticket import TicketType
from api.web.authentication import caller
from tables.text.time_zones import zone_names

editing = Blueprint("editing", __name__)

DEFAULT_ZONE: Final = "Europe/Vienna"
# Zones named by a place; the others are aliases.
ZONES: Final = tuple(sorted(zone for zone in zone_names() if "/" in zone and not zone.startswith("Etc/")))


@editing.get("/organize/new")
def new_event_form() -> Response:
    """An empty form."""
    return _event_form(None, {"timeZone": DEFAULT_ZONE}, {})


@editing.post("/organize/new")
def create_event() -> BaseResponse:
    """Create a draft that the reader owns."""
    sent = form_fields()
    try:
        listing = new_listing(new_event(sent), caller().account, ports().new_id, ports().clock())
        ports().events.add(listing)
    except Refused as error:
        return _event_form(None, sent, field_errors(error), error.status)
    return _to_event(listing.event.id)


@editing.get("/organize/events/<uuid:event_id>/edit")
def event_to_edit(event_id: UUID) -> Response:
    """The form, filled with the event."""
    event = managed_event(event_id)
    return _event_form(event, event_form(event), {})


@editing.post("/organize/events/<uuid:event_id>/edit")
def edit_event(event_id: UUID) -> BaseResponse:
    """Change what was changed in the form; everything else stays."""
    event, sent = managed_event(event_id), request.form.to_dict()
    try:
        fields = given(event_change(sent, event))
        if fields:
            change_on_version(event_id, partial(changed, fields=fields, now=ports().clock()))
    except Refused as error:
        return _event_form(event, sent, form_errors(error), error.status)
    return _to_event(event_id)


@editing.get("/organize/events/<uuid:event_id>/types/new")
def new_type_form(event_id: UUID) -> Response:
    """An empty form."""
    event = managed_event(event_id)
    tickets = ports().events.tickets(event_id) or ()
    usual = {"currency": tickets[0].price.currency if tickets else "EUR", "position": str(len(tickets))}
    return _type_form(event, None, usual | {"version": str(event.version)}, {})


@editing.post("/organize/events/<uuid:event_id>/types/new")
def create_type(event_id: UUID) -> BaseResponse:
    """Add a ticket type."""
    event, sent = managed_event(event_id), form_fields()
    try:
        body = new_ticket(sent, event)
        change_on_version(event_id, partial(with_ticket, body=body, ticket_id=ports().new_id(), now=ports().clock()))
    except Refused as error:
        return _type_form(event, None, sent, form_errors(error), error.status)
    return _to_event(event_id)


@editing.get("/organize/events/<uuid:event_id>/types/<uuid:type_id>")
def type_to_edit(event_id: UUID, type_id: UUID) -> Response:
    """The form, filled with the ticket type."""
    event, ticket = _own_type(event_id, type_id)
    return _type_form(event, ticket, ticket_form(ticket, event), {})


@editing.post("/organize/events/<uuid:event_id>/types/<uuid:type_id>")
def edit_type(event_id: UUID, type_id: UUID) -> BaseResponse:
    """Change what was changed in the form; everything else stays. A new price applies to later purchases."""
    (event, ticket), sent = _own_type(event_id, type_id), request.form.to_dict()
    try:
        fields = given(ticket_change(sent, ticket, event))
        if fields:
            change_on_version(
                event_id, partial(with_ticket_changed, ticket_id=type_id, fields=fields, now=ports().clock())
            )
    except Refused as error:
        return _type_form(event, ticket, sent, form_errors(error), error.status)
    return _to_event(event_id)


@editing.post("/organize/events/<uuid:event_id>/types/<uuid:type_id>/remove")
def remove_type(event_id: UUID, type_id: UUID) -> BaseResponse:
    """Remove a ticket type that has no purchases."""
    event, ticket = _own_type(event_id, type_id)

    def decide(listing: Listing) -> Listing:
        if ports().stock.is_out(event_id, type_id):  # sold since
            raise Refused("has-purchases")
        return without_ticket(listing, type_id)

    try:
        check_version(event, request.form.get("version"))
        if ports().stock.has_purchases(event_id, type_id):
            raise Refused("has-purchases")
        change_on_version(event_id, decide)
    except Refused as error:
        return _type_form(event, ticket, ticket_form(ticket, event), form_errors(error), error.status)
    return _to_event(event_id)


def _own_type(event_id: UUID, type_id: UUID) -> tuple[Event, TicketType]:
    event = managed_event(event_id)
    return event, ticket_of(Listing(event, ports().events.tickets(event_id) or ()), type_id)


def _event_form(event: Event | None, shown: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    reached = ports().attendance.reached(event.id) if event else None
    zone = shown.get("timeZone", "")
    more: dict[str, Any] = {"reached": reached, "zones": sorted({*ZONES, zone}), "folds": _folds(shown, zone)}
    return make_response(render_template("event_form.html", event=event, given=shown, errors=errors, **more), status)


def _type_form(
    event: Event, ticket: TicketType | None, shown: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    more: dict[str, Any] = {"folds": _folds(shown, event.time_zone), "taken": _taken(ticket)}
    text = render_template("type_form.html", event=event, ticket=ticket, given=shown, errors=errors, **more)
    return make_response(text, status)


def _taken(ticket: TicketType | None) -> int:
    """How many tickets of a type are held or sold."""
    sales = ports().sales.of_event(ticket.event_id, 1, None).ticket_types or () if ticket else ()
    return sum(each.held + each.sold for each in sales if ticket and each.ticket_type_id == ticket.id)


def _folds(shown: dict[str, str], zone: str) -> dict[str, list[tuple[str, str]]]:
    """By field of a time that comes twice: the two choices."""
    return {name: repeated(shown.get(name, ""), zone) for name in TIME_FIELDS}


def _to_event(event_id: UUID) -> BaseResponse:
    return redirect(f"/organize/events/{event_id}", 303)
