"""The agent that projects ``notification-log`` into PostgreSQL, table ``notification``: what became of each mail."""

from typing import Any

from connect.topics import DELIVERIES
from streams.runtime.app import App
from streams.runtime.failures import decode_batch
from streams.runtime.kafka_types import Message
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.projection import Projection
from tables.messages.deliveries import Delivery, decode_delivery

CONSUMER = "deliveries"
BATCH_MAX_RECORDS = 1_000

# A sent mail stays sent: replaying a refused one may bring its first result again.
COLUMNS = "id, kind, status, event_id, purchase_id, account_id, at"
UPSERT = f"""
INSERT INTO notification ({COLUMNS}) SELECT {COLUMNS} FROM json_populate_recordset(NULL::notification, %s::json)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, kind = excluded.kind, at = excluded.at
WHERE notification.status <> 'sent'
"""  # noqa: S608 (put together from constants; values are parameters)


class DeliveriesAgent:
    """Writes the projection of ``notification-log``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.projection = Projection(app, UPSERT, key=("id",), doing="noting sent mails")
        app.add_agent(DELIVERIES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, decode_delivery)
        rows = [(message, delivery_row(delivery)) for message, delivery in decoded]
        dead_letters += await self.projection.write(rows)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """The row of ``notification`` of a mail's result."""
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "status": delivery.status,
        "event_id": delivery.event,
        "purchase_id": delivery.purchase,
        "account_id": delivery.account,
        "at": delivery.at,
    }
