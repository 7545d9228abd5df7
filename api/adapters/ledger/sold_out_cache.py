"""What is known to be sold out, from the ledger's own answers, so that a crowd can be refused without asking it.

The promise: nothing is refused here that the ledger, asked less than FRESH_S ago, would not have refused. Stock
that comes back is seen in the outcomes at once, and sold after FRESH_S at the latest: the knowledge is then too
old, and the next request goes to the ledger.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from api.schemas.ids import text_of
from tables.ledger.fingerprint import merge
from tables.messages.commands import TicketLine
from tables.messages.outcomes import Outcome
from tables.messages.reasons import Reason

FRESH_S: Final = 0.5
RENEW_S: Final = 0.25
MOST_EVENTS: Final = 1_000

# Outcomes that may bring tickets back begin so; the ledger writes the kind first.
_BRINGS_BACK: Final = tuple(f'{{"kind":"{kind}"'.encode() for kind in ("cancelled", "expired", "refunded", "changed"))


class Shortage(NamedTuple):
    """What the ledger said of a ticket type: the figures of its refusal, and when it was asked."""

    available: int
    figures: dict[str, Any]
    asked_at: float


class SoldOut:
    """The shortages of all events, each as old as the question that the ledger answered with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._events: dict[bytes, dict[UUID, Shortage]] = {}
        self._renewing: dict[tuple[bytes, UUID], float] = {}

    def now(self) -> float:
        """The time to give to ``learn`` later on."""
        return self._clock()

    def learn(self, outcome: Outcome, asked_at: float) -> None:
        """Take the ledger's answer to a command that was handed in at ``asked_at``, by this process itself."""
        if outcome.reason is not Reason.SOLD_OUT or outcome.repeated:
            return
        key, kind = text_of(outcome.event).encode(), UUID(outcome.figures["ticketType"])
        known = self._events.setdefault(key, {})
        if kind not in known or known[kind].asked_at < asked_at:
            known[kind] = Shortage(outcome.figures["available"], outcome.figures, asked_at)
        self._renewing.pop((key, kind), None)
        while len(self._events) > MOST_EVENTS:
            del self._events[next(iter(self._events))]

    def watch(self, key: bytes | None, value: bytes | None) -> None:
        """Forget an event's shortages when a record of ``ticket-purchase`` may bring tickets back."""
        if key in self._events and value is not None and value.startswith(_BRINGS_BACK):
            self._events.pop(key or b"", None)

    def refusal(self, event: UUID, lines: Iterable[TicketLine]) -> dict[str, Any] | None:
        """The figures with which the ledger would refuse these lines; None if it has to be asked.

        Where the knowledge grows old one request is let through to renew it.
        """
        key = text_of(event).encode()
        known = self._events.get(key)
        if not known:
            return None
        now = self._clock()
        for kind, quantity in merge(list(lines)).items():
            shortage = known.get(kind)
            if shortage is None or quantity <= shortage.available or now - shortage.asked_at >= FRESH_S:
                continue
            if now - shortage.asked_at >= RENEW_S and self._may_renew((key, kind), now):
                return None
            return shortage.figures | {"requested": quantity}
        return None

    def _may_renew(self, place: tuple[bytes, UUID], now: float) -> bool:
        if now - self._renewing.get(place, -FRESH_S) < FRESH_S:
            return False
        self._renewing[place] = now
        return True
