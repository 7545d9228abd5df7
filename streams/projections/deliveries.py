"""The agent that projects ``notification-log`` into PostgreSQL, table ``notification``: what became of each mail."""

from typing import Any

from msgspec.structs import asdict

from connect.topics import DELIVERIES
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import decode_batch, send_to_dead_letters
from streams.runtime.kafka_types import Message
from streams.runtime.projection import Projection
from tables.messages.deliveries import decode_delivery

CONSUMER = "deliveries"
BATCH_MAX_RECORDS = 1_000

# A sent mail stays sent: replaying a refused one may bring its first result again.
UPSERT = """
INSERT INTO notification (id, kind, status, event_id, purchase_id, account_id, at)
VALUES (%(id)s, %(kind)s, %(status)s, %(event)s, %(purchase)s, %(account)s, %(at)s)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, kind = excluded.kind, at = excluded.at
WHERE notification.status <> 'sent'
"""


class DeliveriesAgent:
    """Writes the projection of ``notification-log``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.projection = Projection(app, UPSERT, doing="noting sent mails")
        add_agent(app, DELIVERIES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, decode_delivery)
        rows: list[tuple[Message, dict[str, Any]]] = [(message, asdict(delivery)) for message, delivery in decoded]
        dead_letters += await self.projection.write(rows)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)
