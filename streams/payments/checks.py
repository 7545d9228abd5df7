"""The timer that asks the providers about unfinished payments: a lost webhook or request is made good.

It appends what they say to ``payment-events``, and then that the payment was checked, whereupon everything that has no
answer is sent again. So it changes nothing itself, and a crash loses nothing.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from connect.topics import PAYMENT_EVENTS
from providers.port import PaymentQuestion
from streams.payments.provider_calls import ProviderCalls, event_record
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_running
from streams.runtime.produce import append_keyed
from streams.runtime.table import OffsetTable
from streams.runtime.timer import run_timer
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.payment import CHECK_FIRST_MS, CHECK_MAX_MS
from tables.payments.records import (
    UNFINISHED_PREFIX,
    PaymentRecord,
    decode_payment,
    key_of_entry,
    purchase_of_key,
)

INTERVAL_S: Final = 0.5
RETRY_S: Final = 2.0
# Looked at in one step, and asked about in one.
SCANNED_MAX: Final = 2_000
ASKED_MAX: Final = 64
# Forgetting one asks about it once more.
REMEMBERED_MAX: Final = 10_000


class PaymentChecks:
    """Walks the unfinished payments of this worker's partitions, a part of them at a time."""

    def __init__(
        self,
        app: App,
        table: OffsetTable,
        calls: ProviderCalls,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self.table = table
        self._calls = calls
        self._clock = clock
        # By partition: where the walk goes on, and when the next one begins (ms).
        self._after: dict[int, bytes] = {}
        self._next_walk_at: dict[int, float] = {}
        # By event and purchase, the time of the check that was appended and may not be folded yet.
        self._asked: dict[tuple[UUID, UUID], int] = {}
        app.on_partitions_assigned.connect(self._forget)
        app.task(self._run)

    async def check(self, partition: int) -> None:
        """Ask about the payments of a partition that are due."""
        due = self._due(partition)
        found = await asyncio.gather(*(self._ask(purchase, record) for purchase, record in due))
        await append_keyed(self.app, PAYMENT_EVENTS, [event_record(event) for events in found for event in events])
        self._asked |= {(record.event, purchase): record.check_at for purchase, record in due}

    def _due(self, partition: int) -> list[tuple[UUID, PaymentRecord]]:
        now_ms = self._clock() * 1000
        if partition not in self._after:
            # One that is further away was set before the clock was set back; so is a payment's below.
            if now_ms < self._next_walk_at.get(partition, 0) <= now_ms + CHECK_FIRST_MS:
                return []
            # Or sooner, when the first payment that this walk sees is due: no event since then makes one due sooner.
            self._next_walk_at[partition] = now_ms + CHECK_FIRST_MS
        due: list[tuple[UUID, PaymentRecord]] = []
        entries = self.table.scan(partition, UNFINISHED_PREFIX, self._after.pop(partition, b""))
        for number, (entry, _) in enumerate(entries):
            if number == SCANNED_MAX or len(due) == ASKED_MAX:
                self._after[partition] = entry
                break
            value = self.table.read(partition, key_of_entry(entry))
            purchase = purchase_of_key(key_of_entry(entry))
            record = None if value is None else decode_payment(value)
            if record is None:
                continue
            if now_ms < record.check_at <= now_ms + CHECK_MAX_MS:
                self._next_walk_at[partition] = min(self._next_walk_at[partition], record.check_at)
            elif self._asked.get((record.event, purchase)) != record.check_at:
                due.append((purchase, record))
        return due

    async def _ask(self, purchase: UUID, record: PaymentRecord) -> list[PaymentEvent]:
        question = PaymentQuestion(record.event, purchase, record.currency, record.reference)
        try:
            events = await self._calls.look(record.provider, question)
        except MalformedRecord:  # a provider that this deployment has no more
            events = []
        return [*events, _checked(purchase, record)]

    async def _run(self) -> None:
        await run_timer(
            self.app, self._check_all, name="payment checks", interval_s=INTERVAL_S, retry_interval_s=RETRY_S
        )

    async def _check_all(self) -> bool:
        owned = active_partitions(self.app, self.table.name) if is_running(self.app) else []
        for partition in owned:
            if self.table.is_open(partition):
                await self.check(partition)
        if len(self._asked) > REMEMBERED_MAX:
            self._asked.clear()
        return False

    async def _forget(self, *_: object, **__: object) -> None:
        self._after.clear()
        self._next_walk_at.clear()
        self._asked.clear()


def _checked(purchase: UUID, record: PaymentRecord) -> PaymentEvent:
    return PaymentEvent(
        id=f"check {record.checks}",
        kind=PaymentEventKind.CHECKED,
        event=record.event,
        purchase=purchase,
        at=datetime.now(UTC),
    )
