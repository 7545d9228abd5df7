"""Ticket types that the ledger has just called sold out, so that a crowd is refused without asking it again.

The promise: a purchase is refused here only if the ledger would have refused it less than 0.5 s ago. An outcome that
brings tickets back clears the event at once; at the latest after 0.5 s the next purchase goes to the ledger.

Of seats a refusal tells only about those among which the ledger looked: a section may be sold out, or the places for
wheelchairs, while the ticket type is not.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from tables.ids import id_bytes
from tables.messages.commands import TicketLine, merge
from tables.messages.outcomes import Outcome
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable

FRESH_S: Final = 0.5
RENEW_S: Final = 0.25
EVENTS_MAX: Final = 1_000

# How outcomes begin that may bring tickets back: the ledger writes the kind first.
_BRINGS_BACK: Final = tuple(f'{{"kind":"{kind}"'.encode() for kind in ("cancelled", "expired", "refunded", "changed"))


class Shortage(NamedTuple):
    """A refusal of the ledger: what is left of the ticket type, the refusal's figures, and when it was asked (s).

    ``renewed_at`` is when a request was let through to renew it.
    """

    available: int
    figures: dict[str, Any]
    asked_at: float
    renewed_at: float = float("-inf")


# A ticket type, whether its seats are named, and which best ones are wanted.
Wanted = tuple[UUID, bool, BestAvailable | None]


class SoldOutCache:
    """The newest shortage of what was wanted of each ticket type, of at most 1,000 events."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._events: dict[bytes, dict[Wanted, Shortage]] = {}

    def now(self) -> float:
        """The time (s, monotonic) to give to ``learn`` later."""
        return self._clock()

    def learn(self, outcome: Outcome, lines: Iterable[TicketLine], asked_at: float) -> None:
        """Learn from the outcome of a command for ``lines`` that this process sent at ``asked_at``."""
        if outcome.reason is not Reason.SOLD_OUT or outcome.repeated:
            return
        key, kind = id_bytes(outcome.event), UUID(outcome.figures["ticketType"])
        known = self._events.setdefault(key, {})
        for wanted in {_wanted(line) for line in lines if line.ticket_type == kind}:
            if wanted not in known or known[wanted].asked_at < asked_at:
                known[wanted] = Shortage(outcome.figures["available"], outcome.figures, asked_at)
        while len(self._events) > EVENTS_MAX:
            del self._events[next(iter(self._events))]

    def read(self, key: bytes | None, value: bytes | None) -> None:
        """Clear an event if its record of ``ticket-purchase`` may bring tickets back."""
        if key in self._events and value is not None and value.startswith(_BRINGS_BACK):
            self._events.pop(key or b"", None)

    def refusal(self, event: UUID, lines: Iterable[TicketLine]) -> dict[str, Any] | None:
        """The figures with which the ledger would refuse these lines; None if it has to be asked.

        Past RENEW_S one request is let through, to renew what is known.
        """
        key = id_bytes(event)
        known = self._events.get(key)
        if not known:
            return None
        now = self._clock()
        lines = list(lines)
        quantities = merge(lines)
        for wanted in dict.fromkeys(map(_wanted, lines)):
            shortage, quantity = known.get(wanted), quantities[wanted[0]]
            if shortage is None or quantity <= shortage.available or now - shortage.asked_at >= FRESH_S:
                continue
            if now - shortage.asked_at >= RENEW_S and now - shortage.renewed_at >= FRESH_S:
                known[wanted] = shortage._replace(renewed_at=now)
                return None
            return shortage.figures | {"requested": quantity}
        return None


def _wanted(line: TicketLine) -> Wanted:
    return line.ticket_type, bool(line.seats), line.best
