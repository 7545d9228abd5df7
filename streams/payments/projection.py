"""The table ``payment`` in PostgreSQL. A state that mostly passes within a moment has a row only where it lasts.

Or where something else happens meanwhile. What a crash takes with it, the payment's first check brings
(streams/payments/checks.py).
"""

import time
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Final
from uuid import UUID

from streams.payments.rows import UPSERT, payment_row
from streams.runtime.app import App
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.projection import Projection
from streams.runtime.timer import add_timer
from tables.payments.records import PaymentRecord
from tables.payments.transitions import PaymentState

# A buyer's first page waits for the row of an authorization (api/paying/payments.py), and nobody for that of a capture.
PASSING_S: Final = {PaymentState.AUTHORIZING: 1.0, PaymentState.CAPTURING: 5.0}
INTERVAL_S: Final = 0.25
# Of one state. Further ones are written at once.
PASSING_MAX_ROWS: Final = 10_000

# The last event's message, the purchase, and the record afterwards.
Changed = tuple[Message, UUID, PaymentRecord]


class PaymentProjection:
    """Writes rows; dead letters of ``consumer`` for those that are rejected later."""

    def __init__(self, app: App, consumer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self._consumer = consumer
        self._clock = clock
        # Two tasks write, each by a connection of its own.
        self._now, self._later = (
            Projection(app, UPSERT, key=("event_id", "purchase_id"), doing="projecting payments") for _ in range(2)
        )
        # By state and key, those that are passing, and when (s) they are written: in this order.
        self._passing: dict[PaymentState, dict[bytes, tuple[float, Changed]]] = {state: {} for state in PASSING_S}
        add_timer(app, self.write_lasting, name="lasting payments", interval_s=INTERVAL_S)

    async def write(self, changed: Iterable[tuple[bytes, Changed]]) -> list[Record]:
        """Write the rows, or put them off. Gives dead letters of the rejected ones."""
        now = self._clock()
        return await self._now.write(
            [_row(change) for key, change in changed if not self._is_put_off(key, change, now)]
        )

    async def write_lasting(self) -> bool:
        """Write what has lasted. A newer row is not replaced."""
        now = self._clock()
        lasting = []
        for passing in self._passing.values():
            due = list(takewhile(lambda entry: entry[1][0] <= now, passing.items()))
            lasting += [passing.pop(key)[1] for key, _ in due]
        if lasting:
            dead_letters = await self._later.write([_row(change) for change in lasting])
            await send_to_dead_letters(self.app, self._consumer, dead_letters)
        return False

    def _is_put_off(self, key: bytes, change: Changed, now: float) -> bool:
        """Not where something else happens while it waits."""
        has_waited = any(passing.pop(key, None) for passing in self._passing.values())
        record = change[2]
        passing = self._passing[record.state] if record.is_passing else None
        if has_waited or passing is None or len(passing) >= PASSING_MAX_ROWS:
            return False
        passing[key] = now + PASSING_S[record.state], change
        return True


def _row(change: Changed) -> tuple[Message, dict[str, object]]:
    message, purchase, record = change
    return message, payment_row(purchase, record)
