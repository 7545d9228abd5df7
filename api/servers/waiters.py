"""Requests that wait for an outcome, found by the purchase they wait for.

Every outcome of every partition passes here, so telling that nobody waits must be cheap.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tables.outcomes import Outcome, OutcomeKind, decode_outcome
from tables.reasons import Reason

_FIRST_ANSWERS = frozenset({OutcomeKind.HELD, OutcomeKind.CONFIRMED, OutcomeKind.REJECTED})


class Waiter:
    """One waiting request. ``fingerprint`` is that of its body; empty for one that only watches."""

    def __init__(self, event: UUID, purchase: UUID, fingerprint: str = "") -> None:
        self.event = event
        self.purchase = purchase
        self.fingerprint = fingerprint
        self.outcome: Outcome | None = None
        self.acknowledged = False
        self.failure: Exception | None = None
        self._done = threading.Event()
        self._taken = threading.Event()

    def offer(self, outcome: Outcome) -> None:
        """Take the outcome if it answers this request."""
        if self.outcome is None and self._answers(outcome):
            self.outcome = outcome
            self._taken.set()
            self._done.set()

    def acknowledge(self, _: object) -> None:
        """The command is in the log for good."""
        self.acknowledged = True
        self._taken.set()

    def fail(self, error: Exception) -> None:
        """The command is not known to be in the log."""
        self.failure = error
        self._taken.set()
        self._done.set()

    def wait_for_outcome(self, seconds: float) -> None:
        """Return with the outcome, with a failure, or after so many seconds."""
        self._done.wait(seconds)

    def wait_for_acknowledgement(self, seconds: float) -> None:
        """Return once the command is known to be in the log, or known not to be, or after so many seconds."""
        self._taken.wait(seconds)

    def _answers(self, outcome: Outcome) -> bool:
        if not self.fingerprint:
            return outcome.kind is not OutcomeKind.REFUSED
        if outcome.kind in _FIRST_ANSWERS:
            return True
        # Another body under the same id may be refused while this one waits: that is not its answer.
        return outcome.reason is Reason.ID_REUSED and outcome.fingerprint == self.fingerprint


class Waiters:
    """All waiting requests of this process."""

    def __init__(self) -> None:
        self._by_event: dict[bytes, dict[UUID, list[Waiter]]] = {}

    @contextmanager
    def waiting(self, waiter: Waiter) -> Iterator[Waiter]:
        """While inside, the waiter is offered the outcomes of its purchase."""
        key = str(waiter.event).encode()
        group = self._by_event.setdefault(key, {}).setdefault(waiter.purchase, [])
        group.append(waiter)
        try:
            yield waiter
        finally:
            group.remove(waiter)
            self._forget(key, waiter.purchase, group)

    def deliver(self, key: bytes | None, value: bytes | None) -> None:
        """Offer a record of ``ticket-purchase`` to whom it concerns. Raises MalformedRecord if it is none."""
        waiting = self._by_event.get(key or b"")
        if not waiting:
            return
        outcome = decode_outcome(value)
        if outcome.purchase is None:
            return
        for waiter in tuple(waiting.get(outcome.purchase, ())):
            waiter.offer(outcome)

    def __len__(self) -> int:
        return sum(len(group) for purchases in self._by_event.values() for group in purchases.values())

    def _forget(self, key: bytes, purchase: UUID, group: list[Waiter]) -> None:
        purchases = self._by_event.get(key)
        if purchases is None or group:
            return
        if purchases.get(purchase) is group:
            del purchases[purchase]
        if not purchases:
            del self._by_event[key]
