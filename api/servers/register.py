"""Who may buy what, as PostgreSQL knows it. Only what was found is remembered, and not for long."""

from typing import Any, Final
from uuid import UUID

from api.problems import Fault, Refused
from api.servers.bounded import Bounded
from api.servers.database import Database

REMEMBERED_S: Final = 60.0
MOST_ACCOUNTS: Final = 100_000
MOST_EVENTS: Final = 10_000

_TYPES: Final = """
SELECT array_agg(ticket_type.id) FILTER (WHERE ticket_type.id IS NOT NULL) AS ticket_types
FROM event LEFT JOIN ticket_type ON ticket_type.event_id = event.id
WHERE event.id = %(id)s
GROUP BY event.id
"""


class RegisterRows:
    """The accounts, events and ticket types of the write model."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts: Bounded[UUID, bool] = Bounded(MOST_ACCOUNTS, REMEMBERED_S)
        self._types: Bounded[UUID, frozenset[UUID]] = Bounded(MOST_EVENTS, REMEMBERED_S)

    def check(self, account: UUID, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-account, unknown-event, unknown-ticket-type."""
        if not self._knows(account):
            raise Refused("unknown-account", "", Fault("there is no such account", "/accountId"))
        known = self._types.get(event)
        if known is None or not known.issuperset(ticket_types):
            known = self._read_types(event)
        faults = [_unknown(place) for place, wanted in enumerate(ticket_types) if wanted not in known]
        if faults:
            raise Refused("unknown-ticket-type", "", *faults)

    def _knows(self, account: UUID) -> bool:
        if self._accounts.get(account):
            return True
        found = self._database.one("SELECT 1 FROM account WHERE id = %(id)s", id=account) is not None
        if found:
            self._accounts.put(account, True)
        return found

    def _read_types(self, event: UUID) -> frozenset[UUID]:
        row: Any = self._database.one(_TYPES, id=event)
        if row is None:
            raise Refused("unknown-event", "", Fault("there is no such event", "/eventId"))
        known = frozenset(row["ticket_types"] or ())
        self._types.put(event, known)
        return known


def _unknown(place: int) -> Fault:
    return Fault("the event has no such ticket type", f"/lines/{place}/ticketTypeId")
