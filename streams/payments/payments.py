"""The agent that folds ``payment-events`` into the table ``payments``, and sends what is to be done.

A batch is handled in this order, each step for all partitions at once and acknowledged before the next: requests for
mails, records, requests and commands, rows of PostgreSQL, dead letters; then its input is committed. What is to be done
is part of the record, so a replay sends it again, and so does the timer (streams/payments/checks.py), until it has an
answer.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from connect.topics import COMMANDS, PAYMENT_EVENTS, PAYMENT_REQUESTS, RESENDS
from streams.payments.projection import Changed, PaymentProjection
from streams.runtime.agents import by_partition, in_parallel
from streams.runtime.app import App
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.failures import dead_letter, decode_batch
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import timestamp_ms, trace_headers
from streams.runtime.table import OffsetTable
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.commands import encode_command
from tables.messages.mail_requests import encode_resend
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, decode_payment_event
from tables.messages.payment_requests import encode_payment_request
from tables.payments.news import mail_request
from tables.payments.payment import apply
from tables.payments.records import (
    PaymentRecord,
    Task,
    decode_payment,
    encode_payment,
    index_change,
    payment_key,
    payment_offset,
)
from tables.payments.tasks import COMMAND_TASKS, command_of, payment_request_of

CONSUMER: Final = "payments"
TABLE: Final = "payments"
BATCH_MAX_RECORDS: Final = 500

Incoming = list[tuple[Message, PaymentEvent]]


class PaymentsBatch:
    """The payments of a batch of one partition, by their keys: as read, changed, and what is to be done."""

    def __init__(self, records: dict[bytes, PaymentRecord | None]) -> None:
        self._records = records
        self.changed: dict[bytes, Changed] = {}
        self.tasks: dict[UUID, tuple[bytes, Task]] = {}
        self.mails: list[Record] = []
        self.dead_letters: list[Record] = []

    def apply(self, key: bytes, message: Message, event: PaymentEvent) -> None:
        """Apply one event to the payment of this key; a dead letter where it can't be."""
        known = self._records[key]
        if known is None and event.kind is PaymentEventKind.RETURN_REFUSED:
            return  # Most of them are of purchases without a payment.
        try:
            record, tasks = apply(known, event.purchase, event, message.offset, timestamp_ms(message))
        except MalformedRecord as error:
            self.dead_letters.append(dead_letter(message, error))
            return
        if record.offset < message.offset:
            return  # It told nothing new.
        self._records[key] = record
        self.changed[key] = message, event.purchase, record
        if (mail := mail_request(known, record, event)) is not None:
            self.mails.append(Record(id_bytes(mail.event), encode_resend(mail), trace_headers(message)))
        for task in tasks:
            self.tasks[task.id] = key, task

    def commands(self) -> list[Record]:
        """The commands to the ledger."""
        return [
            Record(id_bytes(record.event), encode_command(command_of(record, purchase, task)))
            for purchase, record, task in self._to_do()
            if task.kind in COMMAND_TASKS
        ]

    def requests(self) -> list[Record]:
        """The requests to the providers."""
        return [
            Record(id_bytes(purchase), encode_payment_request(payment_request_of(record, purchase, task)))
            for purchase, record, task in self._to_do()
            if task.kind not in COMMAND_TASKS
        ]

    def encoded(self) -> dict[bytes, bytes]:
        """The changed records by key."""
        return {key: encode_payment(record) for key, (_, _, record) in self.changed.items()}

    def _to_do(self) -> Iterator[tuple[UUID, PaymentRecord, Task]]:
        return ((*self.changed[key][1:], task) for key, task in self.tasks.values())


class PaymentsAgent:
    """Writes the table, ``payment-requests`` and ``ticket-commands`` from ``payment-events``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.table = OffsetTable.add(app, TABLE, app.settings.partitions, payment_offset, index_change)
        self.changelog_repair = ChangelogRepair(app, self.table, PAYMENT_EVENTS)
        self.projection = PaymentProjection(app, CONSUMER)
        app.add_agent(PAYMENT_EVENTS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        batches: dict[int, PaymentsBatch] = {}
        dead_letters: list[Record] = []
        for partition, some in by_partition(messages).items():
            decoded, malformed = decode_batch(some, decode_payment_event)
            batches[partition] = batch = self._apply(partition, decoded)
            dead_letters += malformed + batch.dead_letters
        await self._save(batches)
        changed = (each for batch in batches.values() for each in batch.changed.items())
        dead_letters += await self.projection.write(changed)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    def _apply(self, partition: int, events: Incoming) -> PaymentsBatch:
        keys = [payment_key(event.event, event.purchase) for _, event in events]
        different = list(set(keys))
        values = self.table.read_all(partition, different)
        known = [None if value is None else decode_payment(value) for value in values]
        batch = PaymentsBatch(dict(zip(different, known, strict=True)))
        for key, (message, event) in zip(keys, events, strict=True):
            batch.apply(key, message, event)
        return batch

    async def _save(self, batches: dict[int, PaymentsBatch]) -> None:
        # Before the records: one that has the news implies that its mail was asked for.
        await append_keyed(self.app, RESENDS, [mail for batch in batches.values() for mail in batch.mails])
        await in_parallel(self.table.save(partition, batch.encoded()) for partition, batch in batches.items())
        requests = [request for batch in batches.values() for request in batch.requests()]
        commands = [command for batch in batches.values() for command in batch.commands()]
        await in_parallel(
            [append_keyed(self.app, PAYMENT_REQUESTS, requests), append_keyed(self.app, COMMANDS, commands)]
        )
