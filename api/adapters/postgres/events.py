"""Events and ticket types in PostgreSQL. Each change and its outbox row are one transaction."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg.rows import DictRow

from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import fetch, insert, page_values, shown, update
from api.organizing.changes import announcement, check_size
from api.ports.events import Events, Listing, PlanInForce
from api.problems import Fault, Refused
from api.schemas.event import Event
from api.schemas.fields import Money
from api.schemas.pagination import InvalidRow, PagePosition
from api.schemas.ticket import TicketType
from telemetry.traces import current_traceparent

_EVENT: Final = tuple(Event.model_fields)
_TICKET: Final = (*(name for name in TicketType.model_fields if name != "price"), "price", "currency")


_SELECT_EVENT: Final = f"SELECT {', '.join(_EVENT)} FROM event WHERE id = %(id)s"
_SELECT_TICKETS: Final = f"SELECT {', '.join(_TICKET)} FROM ticket_type WHERE event_id = %(id)s ORDER BY position, id"
_SELECT_TICKET: Final = f"SELECT {', '.join(_TICKET)} FROM ticket_type WHERE id = %(id)s"
_SELECT_PLAN: Final = "SELECT version, categories FROM seating WHERE event_id = %(id)s AND version IS NOT NULL"
_SELECT_EVENT_OF: Final = f"""
SELECT {", ".join(_EVENT)} FROM event WHERE id = (SELECT event_id FROM ticket_type WHERE id = %(id)s)
"""
_PAGE: Final = f"""
SELECT {", ".join(_EVENT)} FROM event
WHERE (status <> 'DRAFT' OR organizer_id = %(drafts_of)s OR %(all_drafts)s)
  AND (%(organizer)s::uuid IS NULL OR organizer_id = %(organizer)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND created_at BETWEEN %(first)s AND %(last)s
  AND (%(after)s::timestamptz IS NULL OR (created_at, id) < (%(after)s::timestamptz, %(id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s
"""
_INSERT_EVENT: Final = insert("event", (*_EVENT, "traceparent"))
_UPDATE_EVENT: Final = update("event", (*_EVENT, "traceparent"))
_INSERT_TICKET: Final = insert("ticket_type", _TICKET)
_UPDATE_TICKET: Final = update("ticket_type", _TICKET)
_INSERT_OUTBOX: Final = """
INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload, traceparent)
VALUES (%(id)s, %(event)s, 'event-defined', %(version)s, %(payload)s::jsonb, %(traceparent)s)
"""
# The newest row of an event has its whole definition. It stays for a connector that starts over, and so do the pieces
# of the plan that it names.
_FORGET_OUTBOX: Final = """
DELETE FROM event_outbox
WHERE aggregate_id = %(event)s AND version < %(version)s AND (part = 0 OR version IS DISTINCT FROM %(plan)s)
"""

# The announcement that a deleted event leaves behind.
_SELECT_ANNOUNCED: Final = "SELECT 1 FROM event_outbox WHERE aggregate_id = %(id)s"

Rows = Connection[DictRow]


class EventRows(Events):
    """The tables ``event``, ``ticket_type`` and ``event_outbox``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, listing: Listing) -> None:
        """Store a new event with its ticket types and announce it.

        Refused: already-exists, also for the id of a deleted event, which the ledger has cancelled for good;
        unknown-account, invalid-input if it is too large for the ledger.
        """
        check_size(listing)
        with self._database.transaction() as connection:
            _insert_event(connection, listing.event)
            for ticket in listing.tickets:
                _insert_ticket(connection, ticket)
            announce(connection, listing)

    def get(self, event: UUID) -> Event | None:
        row = self._database.one(_SELECT_EVENT, id=event)
        return shown("event", row, Event.model_validate) if row else None

    def listing(self, event: UUID) -> Listing | None:
        """The event with its ticket types, in one snapshot."""
        with self._database.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return read_listing(connection, event)

    def name(self, event: UUID) -> str | None:
        row = self._database.one("SELECT title FROM event WHERE id = %(id)s", id=event)
        return str(row["title"]) if row else None

    def tickets(self, event: UUID) -> tuple[TicketType, ...] | None:
        with self._database.transaction() as connection:
            found = tuple(ticket for ticket in _tickets(connection, event) if ticket is not None)
            known = found or connection.execute("SELECT 1 FROM event WHERE id = %s", (event,)).fetchone()
        return found if known else None

    def list(self, limit: int, after: PagePosition | None, **choice: Any) -> list[Event | InvalidRow]:
        rows = self._database.all(_PAGE, **choice, **page_values(limit, after))
        return [shown("event", row, Event.model_validate) or InvalidRow(row["created_at"], row["id"]) for row in rows]

    def ticket(self, ticket: UUID) -> TicketType | None:
        row = self._database.one(_SELECT_TICKET, id=ticket)
        return shown("ticket_type", row, _ticket) if row else None

    def event_of(self, ticket: UUID) -> Event | None:
        row = self._database.one(_SELECT_EVENT_OF, id=ticket)
        return shown("event", row, Event.model_validate) if row else None

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        """Replace a listing by the result of ``decide``, under the event's lock, and announce the next version.

        Refused: invalid-input if it is too large for the ledger.
        """
        with self._database.transaction() as connection:
            before = read_listing(connection, event, lock=True)
            if before is None:
                return None
            after = next_listing(before, decide(before))
            check_size(after)
            update_event(connection, after.event)
            _store_tickets(connection, before, after)
            announce(connection, after)
        return after

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        with self._database.transaction() as connection:
            before = read_listing(connection, event, lock=True)
            if before is None:
                return False
            announce(connection, next_listing(before, decide(before)))
            connection.execute("DELETE FROM event WHERE id = %s", (event,))
        return True


def _insert_event(connection: Rows, event: Event) -> None:
    try:
        connection.execute(_INSERT_EVENT, _event_row(event))
    except UniqueViolation as error:
        raise Refused("already-exists", f"there is an event {event.id}", Fault("is in use", "/id")) from error
    except ForeignKeyViolation as error:
        raise Refused("unknown-account", "", Fault("there is no such account", "/organizerId")) from error
    if fetch(connection, _SELECT_ANNOUNCED, {"id": event.id}):
        raise Refused("already-exists", f"there was an event {event.id}", Fault("was in use", "/id"))


def _event_row(event: Event) -> dict[str, Any]:
    return event.model_dump() | {"traceparent": current_traceparent()}


def update_event(connection: Rows, event: Event) -> None:
    """Write an event's row."""
    connection.execute(_UPDATE_EVENT, _event_row(event))


def next_listing(before: Listing, after: Listing) -> Listing:
    """The listing with the version that follows."""
    return replace(after, event=after.event.model_copy(update={"version": before.event.version + 1}))


def read_listing(connection: Rows, event: UUID, *, lock: bool = False) -> Listing | None:
    """The event with its ticket types; None without it, or if a row is invalid, since it can't be announced then."""
    rows = fetch(connection, f"{_SELECT_EVENT} FOR UPDATE" if lock else _SELECT_EVENT, {"id": event})
    found = shown("event", rows[0], Event.model_validate) if rows else None
    tickets = _tickets(connection, event)
    whole = tuple(ticket for ticket in tickets if ticket is not None)
    if found is None or len(whole) < len(tickets):
        return None
    return Listing(found, whole, _plan(connection, event))


def _plan(connection: Rows, event: UUID) -> PlanInForce | None:
    rows = fetch(connection, _SELECT_PLAN, {"id": event})
    return PlanInForce(rows[0]["version"], frozenset(rows[0]["categories"])) if rows else None


def _tickets(connection: Rows, event: UUID) -> list[TicketType | None]:
    rows = fetch(connection, _SELECT_TICKETS, {"id": event})
    return [shown("ticket_type", row, _ticket) for row in rows]


def _ticket(row: dict[str, Any]) -> TicketType:
    price = Money.of(row["price"], row["currency"])
    return TicketType(**{name: value for name, value in row.items() if name != "currency"} | {"price": price})


def _store_tickets(connection: Rows, before: Listing, after: Listing) -> None:
    known = {ticket.id: ticket for ticket in before.tickets}
    gone = known.keys() - {ticket.id for ticket in after.tickets}
    connection.execute("DELETE FROM ticket_type WHERE id = ANY(%s)", (list(gone),))
    for ticket in after.tickets:
        if ticket.id not in known:
            _insert_ticket(connection, ticket)
        elif ticket != known[ticket.id]:
            connection.execute(_UPDATE_TICKET, _row(ticket))


def _insert_ticket(connection: Rows, ticket: TicketType) -> None:
    try:
        connection.execute(_INSERT_TICKET, _row(ticket))
    except UniqueViolation as error:
        raise Refused("already-exists", f"there is a ticket type {ticket.id}", Fault("is in use", "/id")) from error


def _row(ticket: TicketType) -> dict[str, Any]:
    return ticket.model_dump(exclude={"price"}) | {"price": ticket.price.exact, "currency": ticket.price.currency}


def announce(connection: Rows, listing: Listing) -> None:
    """Tell the ledger of an event, and forget what was told before."""
    event = listing.event
    values = {"id": uuid4(), "event": event.id, "version": event.version, "payload": announcement(listing).decode()}
    values["traceparent"] = current_traceparent() or ""
    connection.execute(_INSERT_OUTBOX, values)
    connection.execute(_FORGET_OUTBOX, values | {"plan": listing.plan.version if listing.plan else None})
