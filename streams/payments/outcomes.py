"""The agent that forwards outcomes about money to ``payment-events``, to the partition of their purchase.

So one log has everything that happens to a payment, in one order. An outcome may be forwarded more than once.
"""

from typing import Final

from connect.topics import OUTCOMES, PAYMENT_EVENTS
from streams.runtime.app import App
from streams.runtime.failures import decode_batch
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import trace_headers
from tables.ids import id_bytes
from tables.messages.outcomes import decode_checked_outcome
from tables.messages.payment_events import encode_payment_event
from tables.payments.forwarding import forwarded, may_concern_payment

CONSUMER: Final = "payment-outcomes"
BATCH_MAX_RECORDS: Final = 1_000


class OutcomesAgent:
    """Writes ``payment-events`` from ``ticket-purchase``."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.add_agent(OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        concerned = [message for message in messages if may_concern_payment(message.value)]
        decoded, dead_letters = decode_batch(concerned, decode_checked_outcome)
        events = [(message, event) for message, outcome in decoded if (event := forwarded(outcome)) is not None]
        records = [
            Record(id_bytes(event.purchase), encode_payment_event(event), trace_headers(message))
            for message, event in events
        ]
        await append_keyed(self.app, PAYMENT_EVENTS, records)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)
