"""The agent that projects outcomes into PostgreSQL, table ``purchase``: the state of each purchase.

A row is only updated by outcomes with a higher ledger offset, so that repeated ones change nothing.
"""

from decimal import Decimal
from typing import Any

from connect.topics import OUTCOMES
from streams.projections.outcomes import read_outcomes
from streams.runtime.app import App
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.projection import Projection
from tables.messages.outcomes import STATE_KINDS, Outcome, OutcomeLine

CONSUMER = "sales"
BATCH_MAX_RECORDS = 1_000

COLUMNS = """
event_id, id, account_id, status, reason, figures, lines, returned, total, currency, deadline, paid_worth,
payment_reference, ledger_offset, at, made_at
"""
# A purchase that had seats stays one with ``seats``, of which none may be left: those who follow the seats of an event
# (api/adapters/postgres/seatings.py) read its purchases with seats alone, and would never learn that they are free.
_LINES = """CASE WHEN purchase.lines @? '$[*].seats' AND NOT excluded.lines @? '$[*].seats'
    THEN jsonb_set(excluded.lines, '{0,seats}', '[]') ELSE excluded.lines END"""
UPSERT = f"""
INSERT INTO purchase ({COLUMNS})
SELECT {COLUMNS} FROM json_populate_recordset(NULL::purchase, %s::json)
ON CONFLICT (event_id, id) DO UPDATE
SET status = excluded.status, reason = excluded.reason, figures = excluded.figures, lines = {_LINES},
    returned = excluded.returned, total = excluded.total, currency = excluded.currency, deadline = excluded.deadline,
    paid_worth = excluded.paid_worth,
    payment_reference = coalesce(excluded.payment_reference, purchase.payment_reference),
    ledger_offset = excluded.ledger_offset, at = excluded.at
WHERE purchase.ledger_offset < excluded.ledger_offset
"""  # noqa: S608 (put together from constants; values are parameters)


class PurchasesAgent:
    """Writes the projection of ``ticket-purchase``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.projection = Projection(app, UPSERT, key=("event_id", "id"), doing="projecting sales")
        app.add_agent(OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        dead_letters: list[Record] = []
        decoded = read_outcomes(messages, dead_letters)
        rows = [(message, purchase_row(outcome)) for message, outcome in decoded if outcome.kind in STATE_KINDS]
        dead_letters += await self.projection.write(rows)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)


def purchase_row(outcome: Outcome) -> dict[str, Any]:
    """The row of ``purchase`` after an outcome."""
    lines = outcome.left or outcome.lines
    return {
        "event_id": outcome.event,
        "id": outcome.purchase,
        "account_id": outcome.account,
        "status": outcome.status,
        "reason": outcome.reason,
        "figures": outcome.figures,
        "lines": [_line(line) for line in lines],
        "returned": outcome.returned,
        "total": sum((line.price * line.quantity for line in lines), Decimal(0)),
        "currency": outcome.total.currency if outcome.total else None,
        "deadline": outcome.deadline,
        "paid_worth": outcome.payment.amount if outcome.payment else None,
        "payment_reference": outcome.reference,
        "ledger_offset": outcome.offset,
        "at": outcome.at,
        "made_at": outcome.at,
    }


def _line(line: OutcomeLine) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "ticketTypeId": str(line.ticket_type),
        "name": line.name,
        "quantity": line.quantity,
        "price": str(line.price),
        "codes": list(line.codes),
    }
    return fields | {"seats": list(line.seats)} if line.seats else fields
