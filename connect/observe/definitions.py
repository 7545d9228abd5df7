"""The events' definitions in PostgreSQL, read page by page, and how the ledger's records differ from them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from tables.errors import MalformedRecord
from tables.ledger.definition_differences import FieldDifference, field_differences
from tables.messages.commands import DefineEvent
from tables.messages.encoding import decode_json

PAGE_EVENTS: Final = 50

_DEFINITIONS: Final = """
SELECT id, jsonb_build_object('kind', 'define-event', 'event', id, 'version', version, 'definition', jsonb_build_object(
    'title', title, 'status', status, 'startsAt', starts_at, 'endsAt', ends_at, 'timeZone', time_zone, 'venue', venue,
    'city', city, 'organizer', organizer_id, 'capacity', capacity, 'maxPerOrder', max_per_order,
    'maxPerAccount', max_per_account, 'payment', payment,
    'plan', (SELECT version FROM seating WHERE event_id = event.id), 'ticketTypes', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', id, 'name', name, 'price', price::text, 'currency', currency, 'quantity', quantity,
            'saleStartsAt', sale_starts_at, 'saleEndsAt', sale_ends_at, 'maxPerOrder', max_per_order,
            'maxPerAccount', max_per_account)), '[]')
        FROM ticket_type WHERE event_id = event.id)))::text
FROM event
"""
_PAGE: Final = f"{_DEFINITIONS} WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(limit)s"
_THESE: Final = f"{_DEFINITIONS} WHERE id = ANY(%(events)s)"
_decoder: Final = msgspec.json.Decoder(DefineEvent)

# Whatever is compared: the definition, or the error where the row can't be read.
Said = Mapping[UUID, DefineEvent | MalformedRecord]
# The ledger's definitions of these events; those that it does not know are left out.
Recorded = Callable[[Sequence[UUID]], Mapping[UUID, DefineEvent]]


class EventDifference(NamedTuple):
    """An event and the fields in which PostgreSQL and the ledger differ."""

    event: UUID
    fields: tuple[FieldDifference, ...]

    def __str__(self) -> str:
        return f"event {self.event} differs in {'; '.join(map(str, self.fields))}"


def read_page(connection: Connection[Any], after: UUID | None) -> Said:
    """The next events after that id, in the order of their ids, from one snapshot."""
    return _read(connection, _PAGE, {"after": after, "limit": PAGE_EVENTS})


def read_these(connection: Connection[Any], events: Collection[UUID]) -> Said:
    """Those of these events that PostgreSQL has."""
    return _read(connection, _THESE, {"events": list(events)})


def _read(connection: Connection[Any], query: str, values: Mapping[str, Any]) -> Said:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return {event: _definition(text) for event, text in cursor.execute(query, values)}


def _definition(text: str) -> DefineEvent | MalformedRecord:
    try:
        return decode_json(_decoder, text.encode(), MalformedRecord)
    except MalformedRecord as error:
        return error


def differing(events: Iterable[UUID], said: Said, recorded: Mapping[UUID, DefineEvent]) -> list[EventDifference]:
    """Those of these events that differ."""
    found = (EventDifference(event, _fields(said.get(event), recorded.get(event))) for event in events)
    return [each for each in found if each.fields]


def _fields(said: DefineEvent | MalformedRecord | None, recorded: DefineEvent | None) -> tuple[FieldDifference, ...]:
    if isinstance(said, MalformedRecord):
        return (FieldDifference("row", f"something unreadable ({said})", "another"),)
    return field_differences(said, recorded)
