"""Requests that wait for an outcome: how many may, of which commands, and by the id of which purchase.

Every outcome of every partition is looked up here. To keep that cheap, the id is cut out of the record's bytes; the
record is decoded only if a request waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from api.ports.ledger import BuyersCommand
from api.problems import BUSY_FOR_S, Refused, retry_later
from tables.ids import id_bytes
from tables.messages.commands import Cancel, Confirm, Exchange, Hold, recorded_fingerprints
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tables.messages.reasons import Reason

IsAnswer = Callable[[Outcome], bool]
Call = Callable[[], object]
Value = TypeVar("Value")

WAITING_MAX_REQUESTS: Final = 1_000
# Only the ledger writes outcomes, and JSON escapes a quotation mark within a text.
_ID_PREFIX: Final = b'"purchase":"'
_ID_BYTES: Final = 36
_HOLD_ANSWERS: Final = frozenset({OutcomeKind.REJECTED, OutcomeKind.HELD})
# What must be paid is held, too.
_BUY_ANSWERS: Final = _HOLD_ANSWERS | {OutcomeKind.CONFIRMED}
# Refusals that end when the purchase arrives, or is paid.
_UNRECORDED: Final = frozenset({Reason.UNKNOWN_PURCHASE, Reason.PAYMENT_REQUIRED})


def nothing() -> None:
    """The callback while nobody waits."""


class PendingRequest:
    """A request in the loop. ``is_answer`` tells its outcome from others of the same purchase.

    A refusal that is not recorded may be over before the same request is tried again. Said of an earlier try it is no
    answer: it has to be said of this command, or of a later one.
    """

    __slots__ = (
        "_offset",
        "_refusal",
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
        self._offset: int | None = None
        self._refusal: Outcome | None = None
        self.failure: Exception | None = None
        self.on_over: Call = nothing
        self.on_taken: Call = nothing

    @property
    def is_over(self) -> bool:
        """Whether the outcome has come, or sending has failed."""
        return self.outcome is not None or self.failure is not None

    @property
    def is_taken(self) -> bool:
        """Whether it is decided that the command is in the log or that this can't be known."""
        return self.acknowledged or self.is_over

    def offer(self, outcome: Outcome) -> None:
        """Take the outcome if it answers this request."""
        if self.outcome is not None or outcome.event != self.event or not self.is_answer(outcome):
            return
        if outcome.reason in _UNRECORDED and (self._offset is None or outcome.offset < self._offset):
            self._refusal = outcome
            return
        self.outcome = outcome
        self.on_taken()
        self.on_over()

    def acknowledge(self, offset: int) -> None:
        """The command is in the log, at this offset."""
        self.acknowledged = True
        self._offset = offset
        self.on_taken()
        if self._refusal is not None:
            self.offer(self._refusal)

    def fail(self, error: Exception) -> None:
        """The command is not known to be in the log."""
        self.failure = error
        self.on_taken()
        self.on_over()

    async def wait(self) -> None:
        """Return on the outcome, on a failure, or after ``seconds``."""
        if not self.is_over:
            over = asyncio.get_running_loop().create_future()
            self.on_over = lambda: _settle(over)
            await result_within(over, self.seconds)

    async def wait_for_acknowledgement(self, seconds: float) -> None:
        """Return on the acknowledgement, on a failure, or after ``seconds``."""
        if not self.is_taken:
            taken = asyncio.get_running_loop().create_future()
            self.on_taken = lambda: _settle(taken)
            await result_within(taken, seconds)


async def result_within(future: asyncio.Future[Value | None], seconds: float) -> Value | None:
    """The future's result; None after ``seconds``, which becomes its result.

    A third of the cost of asyncio.wait_for.
    """
    timer = asyncio.get_running_loop().call_later(seconds, _settle, future)
    try:
        return await future
    finally:
        timer.cancel()


def _settle(future: asyncio.Future[Value | None]) -> None:
    if not future.done():
        future.set_result(None)


def answers_to(command: BuyersCommand) -> IsAnswer:
    """Whether an outcome answers this command, and not another one about the same purchase."""
    if isinstance(command, (Confirm, Cancel, Exchange)):
        return lambda outcome: outcome.request == command.request and _is_told_to(command.account, outcome)
    kinds = _HOLD_ANSWERS if isinstance(command, Hold) else _BUY_ANSWERS
    own = recorded_fingerprints(command)
    # Another body under the same id may be refused meanwhile, and what must be paid lengthened or confirmed: no answer.
    return lambda outcome: (
        outcome.fingerprint in own
        and outcome.request is None
        and not outcome.extended
        and (outcome.kind in kinds or outcome.reason is Reason.ID_REUSED)
    )


def _is_told_to(account: UUID, outcome: Outcome) -> bool:
    """Whether an outcome answers this account: its owner and strangers may send the same request id."""
    return (outcome.account in (None, account)) is not (outcome.reason is Reason.NOT_YOURS)


def any_decision(outcome: Outcome) -> bool:
    """Whether an outcome changed the purchase, for a request that only watches it."""
    return outcome.kind is not OutcomeKind.REFUSED


class Registration:
    """Keeps a request among those of its purchase inside ``with``. A class, since a generator costs twice as much."""

    __slots__ = ("_group", "_groups", "_key", "_request")

    def __init__(self, groups: dict[bytes, list[PendingRequest]], request: PendingRequest) -> None:
        self._groups = groups
        self._key = id_bytes(request.purchase)
        self._request = request

    def __enter__(self) -> None:
        self._group = self._groups.setdefault(self._key, [])
        self._group.append(self._request)

    def __exit__(self, *_: object) -> None:
        self._group.remove(self._request)
        if not self._group and self._groups.get(self._key) is self._group:
            del self._groups[self._key]


class PendingRequests:
    """All pending requests of this process."""

    def __init__(self) -> None:
        self._by_purchase: dict[bytes, list[PendingRequest]] = {}

    def waiting(self, request: PendingRequest) -> Registration:
        """Inside ``with``, the request is offered the outcomes of its purchase."""
        return Registration(self._by_purchase, request)

    def read(self, key: bytes | None, value: bytes | None) -> None:
        """Offer a record of ``ticket-purchase`` to the requests of its purchase. Raises MalformedRecord."""
        start = (value or b"").find(_ID_PREFIX) + len(_ID_PREFIX)
        if value is None or start < len(_ID_PREFIX):
            return
        waiting = self._by_purchase.get(value[start : start + _ID_BYTES])
        if not waiting:
            return
        outcome = decode_outcome(value)
        for request in tuple(waiting):
            request.offer(outcome)

    def __len__(self) -> int:
        return sum(len(group) for group in self._by_purchase.values())


class ConcurrencyLimit:
    """At most ``requests_max`` requests inside ``with``; one more is refused."""

    def __init__(self, requests_max: int) -> None:
        self._requests_max = requests_max
        self._inside = 0

    def check(self) -> None:
        """Refused: busy."""
        if self._inside >= self._requests_max:
            raise retry_later("busy", BUSY_FOR_S)

    def __enter__(self) -> None:
        """Refused: busy."""
        self.check()
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1


class RunningCommands:
    """The commands that are sent and not answered yet."""

    def __init__(self) -> None:
        self._keys: set[tuple[int, ...]] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def begin(self, command: BuyersCommand) -> tuple[int, ...]:
        """The key to end it by. Refused: still-running."""
        key = _key(command)
        if key in self._keys:
            raise Refused("still-running")
        self._keys.add(key)
        return key

    def end(self, key: tuple[int, ...]) -> None:
        """The command may be sent again."""
        self._keys.discard(key)


def _key(command: BuyersCommand) -> tuple[int, ...]:
    """Equal for a command that is sent twice. Integers are hashed and compared in C."""
    if isinstance(command, (Confirm, Cancel, Exchange)):
        return command.event.int, (command.request or command.purchase).int, command.account.int
    return command.event.int, command.purchase.int
