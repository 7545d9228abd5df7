"""The timer that asks the providers about unfinished payments: a lost webhook or request is made good.

It appends what they say to ``payment-events``, and then that the payment was checked; whatever has no answer is then
sent again. So it changes nothing itself, and a crash loses nothing.
"""

import asyncio
import heapq
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from connect.topics import PAYMENT_EVENTS
from providers.port import PaymentQuestion
from streams.payments.provider_calls import ProviderCalls, event_record
from streams.runtime.app import App
from streams.runtime.assignment import working_partitions
from streams.runtime.produce import append_keyed
from streams.runtime.table import OffsetTable
from streams.runtime.timer import add_timer
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
# Looked at in one step, and asked about in one.
SCANNED_MAX_PAYMENTS: Final = 2_000
ASKED_MAX_PAYMENTS: Final = 64
# Forgetting one asks about it once more.
REMEMBERED_MAX_PAYMENTS: Final = 10_000
# Of a partition, which are due before its next walk. Further ones are found by an earlier walk.
SOON_MAX_PAYMENTS: Final = 10_000


class PaymentChecks:
    """Walks the unfinished payments of this worker's partitions every 5 s, a part of them at a time."""

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
        # By partition: a heap of the payments that the last walk has seen and that are due before the next one, when
        # (ms) and the key. What becomes unfinished since then is due later.
        self._soon: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
        # By event and purchase, the time of the check that was appended and may not be folded yet.
        self._asked: dict[tuple[UUID, UUID], int] = {}
        add_timer(app, self._check_all, name="payment checks", interval_s=INTERVAL_S)

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
                return self._due_between_walks(partition, now_ms)
            self._next_walk_at[partition] = now_ms + CHECK_FIRST_MS
            self._soon[partition].clear()
        due: list[tuple[UUID, PaymentRecord]] = []
        entries = self.table.scan(partition, UNFINISHED_PREFIX, self._after.pop(partition, b""))
        for number, (entry, _) in enumerate(entries):
            if number == SCANNED_MAX_PAYMENTS or len(due) == ASKED_MAX_PAYMENTS:
                self._after[partition] = entry
                break
            key = key_of_entry(entry)
            record = self._unfinished(partition, key)
            if record is None:
                continue
            if now_ms < record.check_at <= now_ms + CHECK_MAX_MS:
                self._note(partition, record.check_at, key)
            elif self._is_new(purchase_of_key(key), record):
                due.append((purchase_of_key(key), record))
        return due

    def _due_between_walks(self, partition: int, now_ms: float) -> list[tuple[UUID, PaymentRecord]]:
        soon = self._soon[partition]
        due: list[tuple[UUID, PaymentRecord]] = []
        while soon and soon[0][0] <= now_ms and len(due) < ASKED_MAX_PAYMENTS:
            _, key = heapq.heappop(soon)
            record = self._unfinished(partition, key)
            if record is not None and record.check_at <= now_ms and self._is_new(purchase_of_key(key), record):
                due.append((purchase_of_key(key), record))
        return due

    def _unfinished(self, partition: int, key: bytes) -> PaymentRecord | None:
        value = self.table.read(partition, key)
        record = None if value is None else decode_payment(value)
        return None if record is None or record.is_finished else record

    def _note(self, partition: int, check_at: int, key: bytes) -> None:
        """Note a payment that a walk has seen, unless the next walk comes before it is due."""
        if check_at >= self._next_walk_at[partition]:
            return
        if len(self._soon[partition]) < SOON_MAX_PAYMENTS:
            heapq.heappush(self._soon[partition], (check_at, key))
        else:
            self._next_walk_at[partition] = check_at

    def _is_new(self, purchase: UUID, record: PaymentRecord) -> bool:
        """Whether a check that is due was not appended yet."""
        return self._asked.get((record.event, purchase)) != record.check_at

    async def _ask(self, purchase: UUID, record: PaymentRecord) -> list[PaymentEvent]:
        question = PaymentQuestion(record.event, purchase, record.currency, record.reference)
        try:
            events = await self._calls.look(record.provider, question)
        except MalformedRecord:  # a provider that this deployment has no more
            events = []
        return [*events, _checked(purchase, record)]

    async def _check_all(self) -> bool:
        for partition in working_partitions(self.app, self.table):
            await self.check(partition)
        if len(self._asked) > REMEMBERED_MAX_PAYMENTS:
            self._asked.clear()
        return False


def _checked(purchase: UUID, record: PaymentRecord) -> PaymentEvent:
    return PaymentEvent(
        id=f"check {record.checks}",
        kind=PaymentEventKind.CHECKED,
        event=record.event,
        purchase=purchase,
        at=datetime.now(UTC),
    )
