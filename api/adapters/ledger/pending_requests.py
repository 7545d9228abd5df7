"""Requests that wait for an outcome, found by the purchase they wait for.

Every outcome of every partition passes here, so telling that nobody waits must be cheap: the purchase's id is
cut out of the record, which is decoded only for whoever waits.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from api.schemas.ids import text_of
from tables.ledger.decisions import recorded_fingerprints
from tables.messages.commands import Buy, Cancel, Confirm, Hold
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tables.messages.reasons import Reason

BuyersCommand = Buy | Hold | Confirm | Cancel
IsAnswer = Callable[[Outcome], bool]
Call = Callable[[], object]

# The ledger is the only one who writes outcomes, and no text within them can hold a bare quotation mark.
_MARK: Final = b'"purchase":"'
_ID: Final = 36


def nothing() -> None:
    """What is done with news that nobody waits for."""


class Waiter:
    """One waiting request, in the loop. ``is_answer`` tells its outcome from others of the same purchase."""

    __slots__ = (
        "acknowledged",
        "event",
        "failure",
        "is_answer",
        "on_over",
        "on_taken",
        "outcome",
        "purchase",
        "seconds",
    )

    def __init__(self, event: UUID, purchase: UUID, is_answer: IsAnswer, seconds: float) -> None:
        self.event = event
        self.purchase = purchase
        self.is_answer = is_answer
        self.seconds = seconds
        self.outcome: Outcome | None = None
        self.acknowledged = False
        self.failure: Exception | None = None
        self.on_over: Call = nothing
        self.on_taken: Call = nothing

    @property
    def is_over(self) -> bool:
        """Whether the outcome is there, or will not come."""
        return self.outcome is not None or self.failure is not None

    @property
    def is_taken(self) -> bool:
        """Whether the command is known to be in the log, or known not to be."""
        return self.acknowledged or self.is_over

    def offer(self, outcome: Outcome) -> None:
        """Take the outcome if it answers this request."""
        if self.outcome is None and outcome.event == self.event and self.is_answer(outcome):
            self.outcome = outcome
            self.on_taken()
            self.on_over()

    def acknowledge(self, _: object) -> None:
        """The command is in the log for good."""
        self.acknowledged = True
        self.on_taken()

    def fail(self, error: Exception) -> None:
        """The command is not known to be in the log."""
        self.failure = error
        self.on_taken()
        self.on_over()

    async def wait(self) -> None:
        """Return with the outcome, with a failure, or after its seconds."""
        if not self.is_over:
            over = asyncio.get_running_loop().create_future()
            self.on_over = lambda: _settle(over)
            await _settled(over, self.seconds)

    async def wait_for_acknowledgement(self, seconds: float) -> None:
        """Return once the command is known to be in the log, or known not to be, or after so many seconds."""
        if not self.is_taken:
            taken = asyncio.get_running_loop().create_future()
            self.on_taken = lambda: _settle(taken)
            await _settled(taken, seconds)


async def _settled(future: asyncio.Future[None], seconds: float) -> None:
    """Return when that is settled, or after so many seconds: at a third of the cost of asyncio.wait_for."""
    timer = asyncio.get_running_loop().call_later(seconds, _settle, future)
    try:
        await future
    finally:
        timer.cancel()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def answers_to(command: BuyersCommand) -> IsAnswer:
    """What the ledger's answer to this very command looks like, whatever else becomes of the purchase meanwhile."""
    if isinstance(command, (Confirm, Cancel)):
        return lambda outcome: outcome.request == command.request and _is_told_to(command.account, outcome)
    kinds = {OutcomeKind.REJECTED, OutcomeKind.HELD if isinstance(command, Hold) else OutcomeKind.CONFIRMED}
    own = recorded_fingerprints(command)
    # Another body under the same id may be refused while this one waits: that is not its answer.
    return lambda outcome: outcome.fingerprint in own and (outcome.kind in kinds or outcome.reason is Reason.ID_REUSED)


def _is_told_to(account: UUID, outcome: Outcome) -> bool:
    """Whether an outcome answers this account: requests of the owner and of strangers may have the same id."""
    return (outcome.account in (None, account)) is not (outcome.reason is Reason.NOT_YOURS)


def any_decision(outcome: Outcome) -> bool:
    """Whether an outcome tells one who only watches that the purchase has changed."""
    return outcome.kind is not OutcomeKind.REFUSED


class Place:
    """A waiter's place among those who wait for the same purchase, while ``with`` lasts."""

    __slots__ = ("_group", "_groups", "_key", "_waiter")

    def __init__(self, groups: dict[bytes, list[Waiter]], waiter: Waiter) -> None:
        self._groups = groups
        self._key = text_of(waiter.purchase).encode()
        self._waiter = waiter

    def __enter__(self) -> None:
        self._group = self._groups.setdefault(self._key, [])
        self._group.append(self._waiter)

    def __exit__(self, *_: object) -> None:
        self._group.remove(self._waiter)
        if not self._group and self._groups.get(self._key) is self._group:
            del self._groups[self._key]


class Waiters:
    """All waiting requests of this process."""

    def __init__(self) -> None:
        self._by_purchase: dict[bytes, list[Waiter]] = {}

    def waiting(self, waiter: Waiter) -> Place:
        """While inside, the waiter is offered the outcomes of its purchase."""
        return Place(self._by_purchase, waiter)

    def deliver(self, value: bytes | None) -> None:
        """Offer a record of ``ticket-purchase`` to whom it concerns. Raises MalformedRecord if it is none."""
        place = (value or b"").find(_MARK) + len(_MARK)
        if value is None or place < len(_MARK):
            return
        waiting = self._by_purchase.get(value[place : place + _ID])
        if not waiting:
            return
        outcome = decode_outcome(value)
        for waiter in tuple(waiting):
            waiter.offer(outcome)

    def __len__(self) -> int:
        return sum(len(group) for group in self._by_purchase.values())
