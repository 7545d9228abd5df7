"""Ticket types of events, also under the path of the system before this one."""

from functools import partial

from flask import Response

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.event import EventPath
from api.bodies.ticket import NewTicketType, TicketPath, TicketType, TicketTypeBody, TicketTypeList
from api.changes import with_ticket, with_ticket_replaced
from api.ports import Listing
from api.problems import Refused
from api.routes.events import change_own, may_see, no_event, shown_event

tickets = blueprint("tickets", "ticket types")

CREATED = answers({201: TicketType}, *WITH_BODY, "not-found", "already-exists", "too-many-ticket-types")
LISTED = answers({200: TicketTypeList}, "not-found")


@tickets.post("/events/<uuid:eventId>/tickets", summary="Create a ticket type", responses=CREATED)
def create_ticket_type(path: EventPath, body: NewTicketType) -> Response:
    """Its id is made here unless the request brings one."""
    return _create(path, body)


@tickets.get("/events/<uuid:eventId>/tickets", summary="List an event's ticket types", responses=LISTED)
def list_ticket_types(path: EventPath) -> Response:
    """All of them, in their order."""
    return _list(path)


@tickets.post("/event/<uuid:eventId>/tickets", summary="Create a ticket type", responses=CREATED, deprecated=True)
def create_ticket_type_at_old_path(path: EventPath, body: NewTicketType) -> Response:
    """The old path; the same as under /events."""
    return _create(path, body)


@tickets.get("/event/<uuid:eventId>/tickets", summary="List ticket types", responses=LISTED, deprecated=True)
def list_ticket_types_at_old_path(path: EventPath) -> Response:
    """The old path; the same as under /events."""
    return _list(path)


@tickets.get(
    "/tickets/<uuid:ticketId>",
    summary="Read a ticket type",
    responses=answers({200: TicketType}, "not-found"),
)
def read_ticket_type(path: TicketPath) -> Response:
    """The ticket type as it is now."""
    ticket = ports().events.ticket(path.ticket_id)
    event = ports().events.get(ticket.event_id) if ticket is not None else None
    if ticket is None or event is None or not may_see(event):
        raise _no_ticket(path)
    return answer(ticket)


@tickets.put(
    "/tickets/<uuid:ticketId>",
    summary="Replace a ticket type",
    responses=answers({200: TicketType}, *WITH_BODY, "not-found"),
)
def replace_ticket_type(path: TicketPath, body: TicketTypeBody) -> Response:
    """All of it: what is left out gets its default. A quantity below what is sold sells nothing more."""
    before = ports().events.ticket(path.ticket_id)
    if before is None:
        raise _no_ticket(path)
    decide = partial(with_ticket_replaced, ticket_id=path.ticket_id, body=body, now=ports().clock())
    return answer(_one(change_own(before.event_id, decide), path.ticket_id))


def _create(path: EventPath, body: NewTicketType) -> Response:
    ticket_id = body.id or ports().new_id()
    decide = partial(with_ticket, body=body, ticket_id=ticket_id, now=ports().clock())
    listing = change_own(path.event_id, decide)
    return answer(_one(listing, ticket_id), 201, {"Location": f"{BASE}/tickets/{ticket_id}"})


def _list(path: EventPath) -> Response:
    shown_event(path.event_id)
    found = ports().events.tickets(path.event_id)
    if found is None:
        raise no_event(path.event_id)
    return answer(TicketTypeList(items=list(found)))


def _one(listing: Listing, ticket_id: object) -> TicketType:
    return next(ticket for ticket in listing.tickets if ticket.id == ticket_id)


def _no_ticket(path: TicketPath) -> Refused:
    return Refused("not-found", f"there is no ticket type {path.ticket_id}")
