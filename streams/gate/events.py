"""The events that the ledger knows: before the first purchase of an event, its definition is appended to the log.

So a purchase does not depend on how far the change data capture is. Later changes reach the ledger by that alone.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from connect.topics import COMMANDS
from streams.runtime.app import App
from streams.runtime.postgres import UNAVAILABLE, LazyConnection
from streams.runtime.produce import Record
from streams.runtime.retry import append_keyed, with_retries
from tables.errors import MalformedRecord
from tables.gate.admission import starts_purchase
from tables.ids import id_bytes
from tables.messages.announcements import Announced, command_of
from tables.messages.commands import DefineEvent
from tables.messages.requests import Request
from tables.messages.statuses import EventStatus

EVENTS_MAX: Final = 10_000
# The newest announcement of an event stays in the outbox, and so do the pieces of its plan, which have parts from 1 on.
QUERY: Final = """
SELECT payload::text FROM event_outbox AS newest
WHERE aggregate_id = ANY(%s) AND (part > 0 OR NOT EXISTS (
    SELECT FROM event_outbox AS newer
    WHERE newer.aggregate_id = newest.aggregate_id AND newer.part = 0 AND newer.version > newest.version))
ORDER BY part = 0, version, part
"""


class KnownEvents:
    """By event whose definition is in the log, its ticket types; both by the numbers of their ids."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._connection = LazyConnection(app)
        self._lock = asyncio.Lock()
        self._ticket_types: dict[int, frozenset[int]] = {}

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
        known = self._ticket_types.get(request.event.int)
        return known is not None and all(line.ticket_type.int in known for line in request.lines)

    async def _read(self, events: set[UUID]) -> list[Any]:
        async with self._lock:
            connection = await self._connection.open()
            async with connection.transaction(), connection.cursor() as cursor:
                await cursor.execute(QUERY, (list(events),))
                return [text for (text,) in await cursor.fetchall()]

    async def _announce(self, definitions: list[tuple[Announced, bytes]]) -> None:
        commands = [Record(id_bytes(command.event), encoded) for command, encoded in definitions]
        await append_keyed(self.app, COMMANDS, commands)
        for command, _ in definitions:
            if isinstance(command, DefineEvent):
                types = frozenset(ticket_type.id.int for ticket_type in command.definition.ticket_types)
                self._ticket_types[command.event.int] = types
        while len(self._ticket_types) > EVENTS_MAX:
            del self._ticket_types[next(iter(self._ticket_types))]


def _definition(payload: str) -> tuple[Announced, bytes] | None:
    """The command of an announcement; None for a draft, which nobody buys from, and for what the ledger can't read."""
    try:
        command, encoded = command_of(payload.encode())
    except MalformedRecord:
        return None
    is_draft = isinstance(command, DefineEvent) and command.definition.status is EventStatus.DRAFT
    return None if is_draft else (command, encoded)
