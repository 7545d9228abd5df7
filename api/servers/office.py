"""The way to the ledger: a command goes into the log, its outcome comes back on ``ticket-purchase``.

The rules: who waits is registered before the command is sent; an answer is given only for what the
broker acknowledged; a purchase is never handed in twice at once by this process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from api.bodies.purchase import Purchase, decided
from api.problems import Refused, Unavailable
from api.servers.bounded import Bounded
from api.servers.log import GIVE_UP_S, KAFKA, CommandLog
from api.servers.outcomes import OutcomeFollower
from api.servers.waiters import Waiter, Waiters
from tables.commands import Purchase as PurchaseCommand
from tables.commands import encode_command
from tables.fingerprint import fingerprint
from tables.outcomes import Outcome

REMEMBERED: Final = 20_000
REMEMBERED_S: Final = 600.0
MARGIN_S: Final = 0.3


class KafkaOffice:
    """The ticket office behind the log."""

    def __init__(self, log: CommandLog, follower: OutcomeFollower, waiters: Waiters) -> None:
        self._log = log
        self._follower = follower
        self._waiters = waiters
        self._running: set[UUID] = set()
        self._accepted: Bounded[UUID, tuple[UUID, str]] = Bounded(REMEMBERED, REMEMBERED_S)

    def open(self) -> None:
        """Begin to connect to both topics."""
        self._follower.open()
        self._log.open()

    def close(self) -> None:
        """Disconnect."""
        self._log.close()
        self._follower.close()

    def probe(self) -> None:
        """Raises Unavailable unless commands can be sent and outcomes are followed."""
        if not (self._log.is_open and self._follower.is_following):
            raise Unavailable(KAFKA)

    def buy(self, command: PurchaseCommand, wait: float) -> Outcome | None:
        """Hand in a purchase and wait for its decision; None when it is in the log but undecided."""
        self.probe()
        print_ = fingerprint(command.account, command.lines, "purchase")
        self._check_reuse(command, print_)
        with self._alone(command.purchase):
            waiter = Waiter(command.event, command.purchase, print_)
            with self._waiters.waiting(waiter):
                self._hand_in(command, waiter, wait)
        self._accepted.put(command.purchase, (command.event, print_))
        if waiter.outcome is not None and waiter.outcome.fingerprint != print_:
            raise Refused("idempotency-key-reused")
        return waiter.outcome

    def watch(self, event: UUID, purchase: UUID, wait: float, look: Callable[[], Purchase | None]) -> Purchase | None:
        """What ``look`` finds now; if that is nothing or pending, the decision of the next ``wait`` seconds."""
        with self._waiters.waiting(Waiter(event, purchase)) as waiter:
            found = look()
            if found is not None and found.status != "pending":
                return found
            waiter.wait_for_outcome(wait)
        return decided(waiter.outcome, purchase) if waiter.outcome else look()

    def accepted(self, event: UUID, purchase: UUID) -> bool:
        """Whether this process lately put that purchase into the log."""
        known = self._accepted.get(purchase)
        return known is not None and known[0] == event

    def _check_reuse(self, command: PurchaseCommand, print_: str) -> None:
        """The ledger finds another body under a key by itself, unless the other body is for another event."""
        known = self._accepted.get(command.purchase)
        if known is not None and known != (command.event, print_):
            raise Refused("idempotency-key-reused")

    @contextmanager
    def _alone(self, purchase: UUID) -> Iterator[None]:
        if purchase in self._running:
            raise Refused("still-running")
        self._running.add(purchase)
        try:
            yield
        finally:
            self._running.discard(purchase)

    def _hand_in(self, command: PurchaseCommand, waiter: Waiter, wait: float) -> None:
        key = str(command.event).encode()
        self._log.append(key, encode_command(command), waiter.acknowledge, waiter.fail)
        waiter.wait_for_outcome(wait)
        if waiter.outcome is None and not waiter.acknowledged:
            waiter.wait_for_acknowledgement(GIVE_UP_S + MARGIN_S)
        if waiter.outcome is None and not waiter.acknowledged:
            raise Unavailable(KAFKA) from waiter.failure
