"""Ticket types of events, also at the paths of the system before this one."""

from collections.abc import Callable
from functools import partial

from flask import Response

from api.organizing.callers_events import change_own, may_see, shown_event
from api.organizing.changes import (
    given,
    ticket_of,
    with_ticket,
    with_ticket_changed,
    with_ticket_replaced,
    without_ticket,
)
from api.ports.events import Listing
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.event import Event, EventPath
from api.schemas.ticket import NewTicketType, TicketPath, TicketType, TicketTypeBody, TicketTypeChange, TicketTypeList
from api.web.authentication import caller
from api.web.etags import check_match, check_match_if_given, tagged
from api.web.responses import BASE, IF_MATCH, WITH_BODY, WITH_MATCH, answer, answers, blueprint

tickets = blueprint("tickets", "ticket types")

CREATED = answers({201: TicketType}, *WITH_BODY, "not-found", "already-exists", "too-many-ticket-types")
LISTED = answers({200: TicketTypeList}, "not-found")
CHANGED = answers({200: TicketType}, *WITH_BODY, *WITH_MATCH, "not-found")


@tickets.post("/events/<uuid:eventId>/tickets", summary="Create a ticket type", responses=CREATED)
def create_ticket_type(path: EventPath, body: NewTicketType) -> Response:
    """The id is generated unless the request has one."""
    return _create(path, body)


@tickets.get("/events/<uuid:eventId>/tickets", summary="List an event's ticket types", responses=LISTED)
def list_ticket_types(path: EventPath) -> Response:
    """All of them, in their order."""
    return _list(path)


@tickets.post("/event/<uuid:eventId>/tickets", summary="Create a ticket type", responses=CREATED, deprecated=True)
def create_ticket_type_at_old_path(path: EventPath, body: NewTicketType) -> Response:
    """The old path of /events."""
    return _create(path, body)


@tickets.get("/event/<uuid:eventId>/tickets", summary="List ticket types", responses=LISTED, deprecated=True)
def list_ticket_types_at_old_path(path: EventPath) -> Response:
    """The old path of /events."""
    return _list(path)


@tickets.get(
    "/tickets/<uuid:ticketId>",
    summary="Read a ticket type",
    responses=answers({200: TicketType, 304: None}, "not-found"),
)
def read_ticket_type(path: TicketPath) -> Response:
    """A ticket type of a draft is shown to its organizer and to administrators."""
    event = ports().events.event_of(path.ticket_id)
    ticket = ports().events.ticket(path.ticket_id) if event is not None and may_see(event) else None
    if ticket is None:
        raise Refused("not-found", f"there is no ticket type {path.ticket_id}")
    return tagged(ticket, ticket.version)


@tickets.put(
    "/tickets/<uuid:ticketId>", summary="Replace a ticket type", responses=CHANGED, openapi_extensions=IF_MATCH
)
def replace_ticket_type(path: TicketPath, body: TicketTypeBody) -> Response:
    """A missing field gets its default. With a quantity below the sold tickets, no more are sold."""
    return _change(path, partial(with_ticket_replaced, ticket_id=path.ticket_id, body=body, now=ports().clock()))


@tickets.patch(
    "/tickets/<uuid:ticketId>", summary="Change a ticket type", responses=CHANGED, openapi_extensions=IF_MATCH
)
def change_ticket_type(path: TicketPath, body: TicketTypeChange) -> Response:
    """A missing field stays as it is. A new price applies to later purchases."""
    fields = given(body)
    return _change(path, partial(with_ticket_changed, ticket_id=path.ticket_id, fields=fields, now=ports().clock()))


@tickets.delete(
    "/tickets/<uuid:ticketId>",
    summary="Delete a ticket type",
    responses=answers({204: None}, "not-found", "precondition-failed", "has-purchases"),
)
def delete_ticket_type(path: TicketPath) -> Response:
    """While none was bought. To stop sales later, lower its quantity or end its sale."""
    has_purchases = Refused("has-purchases", "a ticket type with purchases stays; lower its quantity to sell no more")
    event = _own_event(path).id
    if (ticket := ports().events.ticket(path.ticket_id)) is not None:
        check_match_if_given(ticket.version)
    if ports().stock.has_purchases(event, path.ticket_id):
        raise has_purchases

    def decide(listing: Listing) -> Listing:
        check_match_if_given(ticket_of(listing, path.ticket_id).version)
        if ports().stock.is_out(event, path.ticket_id):  # sold since
            raise has_purchases
        return without_ticket(listing, path.ticket_id)

    change_own(event, decide)
    return Response(status=204)


def _create(path: EventPath, body: NewTicketType) -> Response:
    ticket_id = body.id or ports().new_id()
    decide = partial(with_ticket, body=body, ticket_id=ticket_id, now=ports().clock())
    ticket = ticket_of(change_own(path.event_id, decide), ticket_id)
    return tagged(ticket, ticket.version, 201, Location=f"{BASE}/tickets/{ticket_id}")


def _list(path: EventPath) -> Response:
    shown_event(path.event_id)
    return answer(TicketTypeList(items=list(ports().events.tickets(path.event_id) or ())))


def _change(path: TicketPath, decide: Callable[[Listing], Listing]) -> Response:
    def decide_on_version(listing: Listing) -> Listing:
        check_match(ticket_of(listing, path.ticket_id).version)
        return decide(listing)

    ticket = ticket_of(change_own(_own_event(path).id, decide_on_version), path.ticket_id)
    return tagged(ticket, ticket.version)


def _own_event(path: TicketPath) -> Event:
    """The event of a ticket type. Refused: not-found, also for one of somebody else's event."""
    event = ports().events.event_of(path.ticket_id)
    if event is None or not caller().may_act_for(event.organizer_id):
        raise Refused("not-found", f"you have no ticket type {path.ticket_id}")
    return event
