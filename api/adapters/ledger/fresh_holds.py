"""The holds that must be paid and that this process was just told of: their payments start without waiting."""

from typing import Final
from uuid import UUID

from api.auth.tokens import MaySee
from api.bounded_cache import BoundedCache
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.payment_events import PaymentEvent, decode_payment_event, encode_payment_event
from tables.payments.forwarding import forwarded

FRESH_MAX_HOLDS: Final = 20_000
# Most buyers begin to pay at once; afterwards the role payments has the hold.
FRESH_FOR_S: Final = 60.0


class FreshHolds:
    """As the event ``held``, encoded: the garbage collector visits every UUID that is kept."""

    def __init__(self) -> None:
        self._holds: BoundedCache[bytes, bytes] = BoundedCache(FRESH_MAX_HOLDS, FRESH_FOR_S)

    def learn(self, outcome: Outcome) -> None:
        """Keep a hold that must be paid. A repeated one is left out: its payment may have begun."""
        if outcome.kind is not OutcomeKind.HELD or outcome.payment is None or outcome.repeated:
            return
        event = forwarded(outcome)
        if event is not None:
            self._holds.put(_key(event.event, event.purchase), encode_payment_event(event))

    def take(self, event: UUID, purchase: UUID, may_see: MaySee) -> PaymentEvent | None:
        """The hold, once, for those who may see it."""
        value = self._holds.get(_key(event, purchase))
        if value is None:
            return None
        held = decode_payment_event(value)
        if held.account is None or not may_see(held.account):
            return None
        self._holds.pop(_key(event, purchase))
        return held


def _key(event: UUID, purchase: UUID) -> bytes:
    return event.bytes + purchase.bytes
