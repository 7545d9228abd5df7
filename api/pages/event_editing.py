"""Making and changing events and their ticket types through forms, by the rules of the REST routes."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.changes import (
    changed,
    given,
    new_listing,
    ticket_of,
    with_ticket,
    with_ticket_replaced,
    without_ticket,
)
from api.pages.event_forms import event_fields, event_form, ticket_fields, ticket_form
from api.pages.forms import field_errors, form_fields, parse_body
from api.pages.organizer import check_version
from api.ports import Listing
from api.problems import PROBLEMS, Refused
from api.routes.events import change_own, managed_event
from api.schemas.event import Event, EventChange, NewEvent
from api.schemas.ticket import NewTicketType, TicketType, TicketTypeBody
from api.web.authentication import caller
from api.web.responses import ports

editing = Blueprint("editing", __name__)

DEFAULT_ZONE: Final = "Europe/Vienna"
# Those that people know by a place; the others are names of the same ones.
ZONES: Final = tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")))

Decide = Callable[[Listing], Listing]


@editing.get("/organize/new")
def new_event_form() -> Response:
    """An empty form."""
    return _event_form(None, {"timeZone": DEFAULT_ZONE}, {})


@editing.post("/organize/new")
def create_event() -> BaseResponse:
    """A draft of the reader's own."""
    sent = form_fields()
    try:
        body = parse_body(NewEvent, event_fields(sent))
        listing = new_listing(body, caller().account, ports().new_id, ports().clock())
        ports().events.add(listing)
    except Refused as error:
        return _event_form(None, sent, field_errors(error), PROBLEMS[error.kind].status)
    return _to_event(listing.event.id)


@editing.get("/organize/events/<uuid:event_id>/edit")
def event_to_edit(event_id: UUID) -> Response:
    """The form with the event as it is."""
    event = managed_event(event_id)
    return _event_form(event, event_form(event), {})


@editing.post("/organize/events/<uuid:event_id>/edit")
def edit_event(event_id: UUID) -> BaseResponse:
    """The event as the form says; what has no field in it stays."""
    event, sent = managed_event(event_id), form_fields()
    try:
        change = parse_body(EventChange, event_fields(sent))
        _change(event_id, partial(changed, fields=given(change), now=ports().clock()))
    except Refused as error:
        return _event_form(event, sent, _form_errors(error), PROBLEMS[error.kind].status)
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
    """One more ticket type."""
    event, sent = managed_event(event_id), form_fields()
    try:
        body = parse_body(NewTicketType, ticket_fields(sent, event.time_zone))
        _change(event_id, partial(with_ticket, body=body, ticket_id=ports().new_id(), now=ports().clock()))
    except Refused as error:
        return _type_form(event, None, sent, _form_errors(error), PROBLEMS[error.kind].status)
    return _to_event(event_id)


@editing.get("/organize/events/<uuid:event_id>/types/<uuid:type_id>")
def type_to_edit(event_id: UUID, type_id: UUID) -> Response:
    """The form with the ticket type as it is."""
    event, ticket = _own_type(event_id, type_id)
    return _type_form(event, ticket, ticket_form(ticket, event), {})


@editing.post("/organize/events/<uuid:event_id>/types/<uuid:type_id>")
def edit_type(event_id: UUID, type_id: UUID) -> BaseResponse:
    """The ticket type as the form says. A new price counts for later purchases."""
    (event, ticket), sent = _own_type(event_id, type_id), form_fields()
    try:
        body = parse_body(TicketTypeBody, ticket_fields(sent, event.time_zone))
        _change(event_id, partial(with_ticket_replaced, ticket_id=type_id, body=body, now=ports().clock()))
    except Refused as error:
        return _type_form(event, ticket, sent, _form_errors(error), PROBLEMS[error.kind].status)
    return _to_event(event_id)


@editing.post("/organize/events/<uuid:event_id>/types/<uuid:type_id>/remove")
def remove_type(event_id: UUID, type_id: UUID) -> BaseResponse:
    """As long as none of it was bought."""
    event, ticket = _own_type(event_id, type_id)

    def decide(listing: Listing) -> Listing:
        if ports().stock.has_purchases(event_id, type_id):
            raise Refused("has-purchases")
        return without_ticket(listing, type_id)

    try:
        _change(event_id, decide)
    except Refused as error:
        return _type_form(event, ticket, ticket_form(ticket, event), _form_errors(error), PROBLEMS[error.kind].status)
    return _to_event(event_id)


def _change(event_id: UUID, decide: Decide) -> Listing:
    """Change it, unless somebody else has since the form was made. Refused: precondition-failed and by ``decide``."""
    version = request.form.get("version")

    def decide_on_version(listing: Listing) -> Listing:
        check_version(listing.event, version)
        return decide(listing)

    return change_own(event_id, decide_on_version)


def _form_errors(error: Refused) -> dict[str, str]:
    """What is wrong. What is not the reader's is raised on: there is no form to show it in."""
    if error.kind == "not-found":
        raise error
    return field_errors(error)


def _own_type(event_id: UUID, type_id: UUID) -> tuple[Event, TicketType]:
    event = managed_event(event_id)
    return event, ticket_of(Listing(event, ports().events.tickets(event_id) or ()), type_id)


def _event_form(event: Event | None, shown: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    more: dict[str, Any] = {"reached": ports().attendance.reached(event.id) if event else None, "zones": ZONES}
    return make_response(render_template("event_form.html", event=event, given=shown, errors=errors, **more), status)


def _type_form(
    event: Event, ticket: TicketType | None, shown: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    return make_response(
        render_template("type_form.html", event=event, ticket=ticket, given=shown, errors=errors), status
    )


def _to_event(event_id: UUID) -> BaseResponse:
    return redirect(f"/organize/events/{event_id}", 303)
