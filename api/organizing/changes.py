"""Changes of an event and its ticket types, and their announcement: pure functions of listings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import msgspec

from api.ports.events import Listing
from api.problems import Refused, wrong
from api.schemas.event import Event, EventChange, NewEvent
from api.schemas.fields import POSITION_MAX, Money
from api.schemas.ticket import NewTicketType, TicketType, TicketTypeBody, TicketTypeChange
from tables.messages import commands
from tables.messages.statuses import EVENT_TRANSITIONS, EventStatus, before_postponement, may_change


def new_listing(body: NewEvent, organizer: UUID, new_id: Callable[[], UUID], now: datetime) -> Listing:
    """The event of a request, with its ticket types. Refused: already-exists for an id given twice."""
    fields = body.model_dump(exclude={"id", "ticket_types"}) | {"tags": distinct(body.tags), "organizer_id": organizer}
    listing = Listing(Event(**fields, id=body.id or new_id(), created_at=now, updated_at=now))
    places = count()
    for given_type in body.ticket_types:
        is_placed = "position" in given_type.model_fields_set
        ticket = given_type if is_placed else given_type.model_copy(update={"position": next(places)})
        listing = with_ticket(listing, ticket, ticket.id or new_id(), now)
    return listing


def given(change: EventChange | TicketTypeChange) -> dict[str, Any]:
    """The fields that a change has, also those that are null."""
    return {name: getattr(change, name) for name in change.model_fields_set}


def changed(listing: Listing, fields: dict[str, Any], now: datetime) -> Listing:
    """The listing with these fields of its event changed. Refused: transition-refused, invalid-input."""
    fields = dict(fields)
    if "tags" in fields:
        fields["tags"] = distinct(fields["tags"])
    before = listing.event
    after = before.model_copy(update=fields | {"updated_at": now})
    _check_transition(before.status, after.status)
    if after.ends_at <= after.starts_at:
        raise wrong("/endsAt", "endsAt must be later than startsAt")
    if (after.latitude is None) != (after.longitude is None):
        raise wrong("/latitude", "latitude and longitude come together or not at all")
    return replace(listing, event=after.model_copy(update={"former_starts_at": _former_start(before, after)}))


def _former_start(before: Event, after: Event) -> datetime | None:
    """The start before the last postponement; None if there was none, or the event takes place then all the same."""
    former = before.former_starts_at
    is_as_before = former == after.starts_at
    return before_postponement(before.starts_at, former, (before.status, after.status), is_as_before=is_as_before)


def _check_transition(before: EventStatus, after: EventStatus) -> None:
    if may_change(before, after):
        return
    allowed = sorted(status.value for status in EVENT_TRANSITIONS[before])
    detail = f"an event that is {before} cannot become {after}"
    more: dict[str, Any] = {"from": before.value, "to": after.value, "allowed": allowed}
    raise Refused("transition-refused", detail, **more)


def with_ticket(listing: Listing, body: NewTicketType, ticket_id: UUID, now: datetime) -> Listing:
    """The listing with another ticket type, which comes last unless it has a position.

    Refused: already-exists, too-many-ticket-types.
    """
    if any(ticket.id == ticket_id for ticket in listing.tickets):
        raise Refused("already-exists", f"the event has a ticket type {ticket_id} already")
    if len(listing.tickets) >= commands.EVENT_MAX_TICKET_TYPES:
        raise Refused("too-many-ticket-types", f"an event has at most {commands.EVENT_MAX_TICKET_TYPES} ticket types")
    more: dict[str, Any] = {"id": ticket_id, "event_id": listing.event.id, "created_at": now, "updated_at": now}
    if "position" not in body.model_fields_set:
        more["position"] = _last_position(listing)
    ticket = _ticket(body, more)
    return replace(listing, tickets=in_order([*listing.tickets, ticket]))


def _last_position(listing: Listing) -> int:
    """The position behind all ticket types."""
    return min(max((ticket.position for ticket in listing.tickets), default=-1) + 1, POSITION_MAX)


def with_ticket_replaced(listing: Listing, ticket_id: UUID, body: TicketTypeBody, now: datetime) -> Listing:
    """The listing with a ticket type replaced. Refused: not-found."""
    known = {ticket.id: ticket for ticket in listing.tickets}
    before = ticket_of(listing, ticket_id)
    kept = {"id": ticket_id, "event_id": before.event_id, "created_at": before.created_at, "updated_at": now}
    known[ticket_id] = _ticket(body, kept | {"version": before.version + 1})
    return replace(listing, tickets=in_order(list(known.values())))


def with_ticket_changed(listing: Listing, ticket_id: UUID, fields: dict[str, Any], now: datetime) -> Listing:
    """The listing with these fields of a ticket type changed. Refused: not-found, invalid-input."""
    before = ticket_of(listing, ticket_id)
    if "price" in fields:
        fields = fields | {"price": Money.of(fields["price"].exact, fields["price"].currency)}
    after = before.model_copy(update=fields | {"version": before.version + 1, "updated_at": now})
    if after.sale_starts_at and after.sale_ends_at and after.sale_ends_at <= after.sale_starts_at:
        raise wrong("/saleEndsAt", "saleEndsAt must be later than saleStartsAt")
    return replace(listing, tickets=in_order([after if ticket is before else ticket for ticket in listing.tickets]))


def without_ticket(listing: Listing, ticket_id: UUID) -> Listing:
    """The listing without a ticket type. Refused: not-found, has-seats."""
    gone = ticket_of(listing, ticket_id)
    if listing.plan is not None and ticket_id in listing.plan.categories:
        raise Refused("has-seats")
    return replace(listing, tickets=tuple(ticket for ticket in listing.tickets if ticket is not gone))


def ticket_of(listing: Listing, ticket_id: UUID) -> TicketType:
    """The listing's ticket type of that id. Refused: not-found."""
    for ticket in listing.tickets:
        if ticket.id == ticket_id:
            return ticket
    raise Refused("not-found", f"there is no ticket type {ticket_id}")


def withdrawn(listing: Listing, now: datetime) -> Listing:
    """The announcement of a deleted event: canceled, so that it sells nothing and sales meanwhile are refunded."""
    return replace(listing, event=listing.event.model_copy(update={"status": EventStatus.CANCELED, "updated_at": now}))


def _ticket(body: TicketTypeBody, more: dict[str, Any]) -> TicketType:
    fields = body.model_dump(exclude={"id", "price"})
    return TicketType(**fields | more, price=Money.of(body.price.exact, body.price.currency))


def in_order(tickets: list[TicketType]) -> tuple[TicketType, ...]:
    """Ticket types in the order in which they are listed."""
    return tuple(sorted(tickets, key=lambda ticket: (ticket.position, ticket.id)))


def distinct(tags: list[str]) -> list[str]:
    """The tags without repeats, in their order."""
    return list(dict.fromkeys(tags))


def check_size(listing: Listing) -> None:
    """Refused: invalid-input, if the definition is larger than the ledger reads."""
    command = commands.DefineEvent(listing.event.id, listing.event.version, definition(listing))
    size = len(commands.encode_command(command))
    if size > commands.COMMAND_MAX_BYTES:
        raise wrong(
            "/ticketTypes",
            f"the event has {size} bytes of texts in all, at most {commands.COMMAND_MAX_BYTES} can be sold",
        )


def announcement(listing: Listing) -> bytes:
    """The outbox payload."""
    return msgspec.json.encode(commands.EventAnnouncement(listing.event.id, listing.event.version, definition(listing)))


def definition(listing: Listing) -> commands.EventDefinition:
    """The event's definition for the ledger."""
    event = listing.event
    return commands.EventDefinition(
        title=event.title,
        status=event.status,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        time_zone=event.time_zone,
        venue=event.venue,
        city=event.city,
        organizer=event.organizer_id,
        capacity=event.capacity,
        max_per_order=event.max_per_order,
        max_per_account=event.max_per_account,
        payment=event.payment,
        plan=listing.plan.version if listing.plan else None,
        ticket_types=[ticket_definition(ticket, event.ends_at) for ticket in listing.tickets],
    )


def ticket_definition(ticket: TicketType, event_ends_at: datetime) -> commands.TicketTypeDefinition:
    """The ticket type's definition for the ledger. Its sale ends with the event at the latest."""
    return commands.TicketTypeDefinition(
        id=ticket.id,
        name=ticket.name,
        price=ticket.price.exact,
        currency=ticket.price.currency,
        quantity=ticket.quantity,
        sale_starts_at=ticket.sale_starts_at,
        sale_ends_at=commands.end_of_sale(ticket.sale_ends_at, event_ends_at),
        max_per_order=ticket.max_per_order,
        max_per_account=ticket.max_per_account,
    )
