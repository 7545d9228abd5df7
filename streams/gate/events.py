"""The events that the ledger knows: before the first purchase of an event, its definition is appended to the log.

So a purchase does not depend on how far the change data capture is. Later changes reach the ledger by that alone.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from connect.postgres_errors import UNAVAILABLE
from connect.topics import COMMANDS
from streams.runtime.app import App
from streams.runtime.failures import with_retries
from streams.runtime.kafka_types import Record
from streams.runtime.postgres import LazyConnection
from streams.runtime.produce import append_keyed
from tables.errors import MalformedRecord
from tables.gate.admission import starts_purchase
from tables.ids import id_bytes
from tables.messages.announcements import Announced, command_of
from tables.messages.commands import DefineEvent
from tables.messages.requests import Request
from tables.messages.statuses import EventStatus

EVENTS_MAX: Final = 10_000
# The newest announcement of an event stays in the outbox, and so do the pieces of its plan, which have parts from 1 on.
NEWEST: Final = """
SELECT DISTINCT ON (aggregate_id) aggregate_id, version, payload::text FROM event_outbox
WHERE aggregate_id = ANY(%s) AND part = 0 ORDER BY aggregate_id, version DESC
"""
PIECES: Final = """
SELECT payload::text FROM event_outbox WHERE aggregate_id = ANY(%s) AND part > 0 ORDER BY version, part
"""


class KnownEvent(NamedTuple):
    """The version of an event that is in the log, and its ticket types by the numbers of their ids."""

    version: int
    ticket_types: frozenset[int]


class KnownEvents:
    """The events whose definitions are in the log, by the numbers of their ids.

    A definition, which has megabytes with the plan of a hall, is appended once a version, whatever producers ask for.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._connection = LazyConnection(app)
        self._lock = asyncio.Lock()
        self._events: dict[int, KnownEvent] = {}

    async def unknown(self, requests: Iterable[Request]) -> set[UUID]:
        """The events that don't exist, or are drafts; the definitions of all others are in the log afterwards.

        Only purchases and holds are looked at. Waits while PostgreSQL is unavailable. Raises as ``with_retries`` does.
        """
        wanted = {request.event for request in requests if not self._knows(request)}
        if not wanted:
            return set()
        rows = await with_retries(
            self.app, lambda: self._read(wanted), doing="reading events for the gate", transient=UNAVAILABLE
        )
        definitions = [found for row in rows if (found := _definition(row)) is not None]
        await self._announce(definitions)
        return wanted - {command.event for command, _ in definitions if isinstance(command, DefineEvent)}

    def _knows(self, request: Request) -> bool:
        if not starts_purchase(request):
            return True
        known = self._events.get(request.event.int)
        return known is not None and all(line.ticket_type.int in known.ticket_types for line in request.lines)

    async def _read(self, events: set[UUID]) -> list[Any]:
        """The newest announcements, after the pieces of the plans of those whose version is not in the log."""
        opened = self._connection.open()
        async with self._lock, opened as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            newest = await (await cursor.execute(NEWEST, (list(events),))).fetchall()
            new = [event for event, version, _ in newest if self._is_new(event, version)]
            pieces = await (await cursor.execute(PIECES, (new,))).fetchall()
            return [row[-1] for row in (*pieces, *newest)]

    async def _announce(self, definitions: list[tuple[Announced, bytes]]) -> None:
        events = [command for command, _ in definitions if isinstance(command, DefineEvent)]
        new = {command.event for command in events if self._is_new(command.event, command.version)}
        commands = [
            Record(id_bytes(command.event), encoded) for command, encoded in definitions if command.event in new
        ]
        await append_keyed(self.app, COMMANDS, commands)
        for command in events:
            types = frozenset(ticket_type.id.int for ticket_type in command.definition.ticket_types)
            self._events[command.event.int] = KnownEvent(command.version, types)
        while len(self._events) > EVENTS_MAX:
            del self._events[next(iter(self._events))]

    def _is_new(self, event: UUID, version: int) -> bool:
        known = self._events.get(event.int)
        return known is None or known.version != version


def _definition(payload: str) -> tuple[Announced, bytes] | None:
    """The command of an announcement; None for a draft, which nobody buys from, and for what the ledger can't read."""
    try:
        command, encoded = command_of(payload.encode())
    except MalformedRecord:
        return None
    is_draft = isinstance(command, DefineEvent) and command.definition.status is EventStatus.DRAFT
    return None if is_draft else (command, encoded)
