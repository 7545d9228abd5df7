"""What was bought of an event and what is left: from the projection, and from the ledger, which knows it first."""

from typing import Final
from uuid import UUID

from api.adapters.ledger.availability_cache import AvailabilityCache, TicketsLeft
from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.postgres.database import Database
from api.ports.sales import StockLevels

_PROJECTED: Final = """
SELECT 1 FROM purchase
WHERE event_id = %(event)s AND status <> 'rejected'
  AND (%(ticket)s::text IS NULL OR lines @> jsonb_build_array(jsonb_build_object('ticketTypeId', %(ticket)s::text)))
LIMIT 1
"""


class LedgerStock(StockLevels):
    """The table ``purchase`` and the ledger's view of an event."""

    def __init__(self, database: Database, views: WorkerViews) -> None:
        self._database = database
        self._views = views
        self._availability = AvailabilityCache(views.stock)

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether there are purchases of the event, or of its ticket type. Raises Unavailable if no worker can tell."""
        values = {"event": event, "ticket": None if ticket is None else str(ticket)}
        return self.is_out(event, ticket) or self._database.one(_PROJECTED, **values) is not None

    def is_out(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether tickets of the event, or of its ticket type, are held or sold. Raises Unavailable."""
        return any(
            ticket in (None, kind.ticket_type) and kind.held + kind.sold > 0 for kind in self._views.stock(event)
        )

    def left(self, event: UUID) -> TicketsLeft | None:
        """What is left of each ticket type; None if no worker can tell."""
        return self._availability.left(event)
