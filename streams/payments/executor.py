"""The agent that carries out ``payment-requests`` and appends what the providers said to ``payment-events``.

The requests of one purchase are carried out in order, those of different ones at once. A provider that does not answer
delays no other request: the timer sends the request again, under the same id. What the payment waits for no more is
left out, so that those which the timer sent while many waited keep none of them longer.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from connect.topics import PAYMENT_EVENTS, PAYMENT_REQUESTS
from streams.payments.provider_calls import ProviderCalls, event_record
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, decode_batch
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.table import OffsetTable
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, failure_of
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind, decode_payment_request
from tables.payments.records import decode_payment, payment_key

CONSUMER: Final = "payment-requests"
# With 16 threads (providers/stripe.py) and 5 s for each call, a batch ends before the watchdog misses the agent.
BATCH_MAX_RECORDS: Final = 64

Incoming = list[tuple[Message, PaymentRequest]]


class ExecutorAgent:
    """Asks the providers for what the payments in ``table`` wait for."""

    def __init__(self, app: App, table: OffsetTable, calls: ProviderCalls) -> None:
        self.app = app
        self.table = table
        self._calls = calls
        app.add_agent(PAYMENT_REQUESTS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, decode_payment_request)
        purchases: dict[UUID, Incoming] = {}
        for message, request in decoded:
            if not self._is_answered(message.partition, request):
                purchases.setdefault(request.purchase, []).append((message, request))
        found = await asyncio.gather(*(self._carry_out(group, dead_letters) for group in purchases.values()))
        await append_keyed(self.app, PAYMENT_EVENTS, [event_record(event) for events in found for event in events])
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    def _is_answered(self, partition: int, request: PaymentRequest) -> bool:
        """Whether its payment, which is in the partition of that number, waits for something else or for nothing.

        An authorization that a crash may have left at the provider is asked for again in any case, so that it is known.
        """
        if request.kind is PaymentRequestKind.AUTHORIZE:
            return False
        value = self.table.read(partition, payment_key(request.event, request.purchase))
        return value is not None and request.id not in {task.id for task in decode_payment(value).tasks}

    async def _carry_out(self, requests: Incoming, dead_letters: list[Record]) -> list[PaymentEvent]:
        events = []
        for message, request in {request.id: (message, request) for message, request in requests}.values():
            if _is_too_late(request):
                events.append(failure_of(request, datetime.now(UTC), "the hold has ended"))
                continue
            try:
                events += await self._calls.carry_out(request)
            except MalformedRecord as error:
                dead_letters.append(dead_letter(message, error))
        return events


def _is_too_late(request: PaymentRequest) -> bool:
    """Whether it would authorize what can't be confirmed any more."""
    is_authorization = request.kind is PaymentRequestKind.AUTHORIZE
    return is_authorization and request.deadline is not None and request.deadline <= datetime.now(UTC)
