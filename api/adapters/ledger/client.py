"""The way to the ledger: a command goes into the log, its outcome comes back on ``ticket-purchase``.

The rules: who waits is registered before the command is sent; an answer is given only for what the broker
acknowledged; a command is never handed in twice at once by this process; no more wait than ``most``.

All of it happens in the loop, but for what says so.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from api.adapters.ledger.command_producer import GIVE_UP_S, KAFKA, MARGIN_S, CommandLog
from api.adapters.ledger.known_purchases import Census
from api.adapters.ledger.outcome_consumer import OutcomeFollower
from api.adapters.ledger.pending_requests import Waiter, Waiters, answers_to, any_decision
from api.adapters.ledger.sold_out_cache import SoldOut
from api.bounded_cache import Bounded
from api.ports.ledger import BuyersCommand
from api.ports.sales import MaySee
from api.problems import BUSY_FOR_S, Refused, Unavailable, retry_later
from api.schemas.ids import text_of
from api.schemas.purchase import Purchase, public_id
from tables.messages.commands import Cancel, Confirm, Hold, encode_command
from tables.messages.outcomes import Outcome
from telemetry.traces import current_span

REMEMBERED: Final = 20_000
REMEMBERED_S: Final = 600.0


class Room:
    """Places for requests that wait, taken by ``with``. One too many is refused as busy; it may be sent again soon."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0

    def check(self) -> None:
        """Refused: busy, where every place is taken."""
        if self._taken >= self._places:
            raise retry_later("busy", BUSY_FOR_S)

    def __enter__(self) -> None:
        """Take a place. Refused: busy."""
        self.check()
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._taken -= 1


class KafkaOffice:
    """The ticket office behind the log."""

    def __init__(
        self,
        log: CommandLog,
        follower: OutcomeFollower,
        waiters: Waiters,
        sold_out: SoldOut,
        census: Census,
        most: int = 1_000,
    ) -> None:
        self._log = log
        self._follower = follower
        self._waiters = waiters
        self._sold_out = sold_out
        self._census = census
        self._running: set[tuple[int, ...]] = set()
        self._deciding = Room(most)
        self._watching = Room(most)
        # Bytes, since the garbage collector looks at every UUID that is kept.
        self._accepted: Bounded[bytes, bytes] = Bounded(REMEMBERED, REMEMBERED_S)

    def open(self) -> None:
        """Begin to connect to both topics."""
        self._follower.open()
        self._log.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._log.close()
        await self._follower.close()

    @property
    def waiting(self) -> int:
        """Commands handed in whose decision a request waits for."""
        return len(self._running)

    @property
    def is_ready(self) -> bool:
        """Whether commands can be sent and outcomes are followed."""
        return self._log.is_open and self._follower.is_following

    def probe(self) -> None:
        """In any thread. Raises Unavailable unless it is ready."""
        if not self.is_ready:
            raise Unavailable(KAFKA)

    def check_room(self) -> None:
        """Refused: busy, where as many wait as may."""
        self._deciding.check()

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        """Hand in a command and wait for its decision; None when it is in the log but undecided."""
        self.probe()
        mark = _mark(command)
        if mark in self._running:
            raise Refused("still-running")
        with self._deciding:
            self._running.add(mark)
            try:
                outcome = await self._outcome(command, wait)
            finally:
                self._running.discard(mark)
        # A confirm or cancel may be of a purchase that never was, which must not seem to be on its way. One that is
        # decided is not on its way either; to keep all of them would cost every purchase a tenth.
        if outcome is None and isinstance(command, (PurchaseCommand, Hold)):
            self._accepted.put(command.event.bytes + command.purchase.bytes, command.account.bytes)
        return outcome

    async def watch(
        self,
        event: UUID,
        purchase: UUID,
        wait: float,
        look: Callable[[], Purchase | None],
        may_see: MaySee,
    ) -> Purchase | Outcome | None:
        """What ``look`` finds now; if that is nothing or pending, the outcome of the next ``wait`` seconds.

        ``look`` is called in a thread. A decision on the purchase of an account that the caller may not see ends no
        wait.
        """

        def is_shown(told: Outcome) -> bool:
            return any_decision(told) and told.account is not None and may_see(told.account)

        waiter = Waiter(event, purchase, is_shown, wait)
        with self._watching, self._waiters.waiting(waiter):
            found = await asyncio.to_thread(look)
            if found is not None and found.status != "pending":
                return found
            await waiter.wait()
        return waiter.outcome or await asyncio.to_thread(look)

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """In any thread: whose purchase it is, if this process lately logged it and had no decision in time."""
        account = self._accepted.get(event.bytes + purchase.bytes)
        return None if account is None else UUID(bytes=account)

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether there is surely no purchase of this id yet; False also where nobody can tell."""
        return self.accepted(event, purchase) is None and await self._census.is_new(event, purchase)

    async def _refuse_early(self, command: BuyersCommand) -> None:
        """Refused: sold-out, where the ledger has just said so and has no decision on this purchase yet."""
        if not isinstance(command, (PurchaseCommand, Hold)):
            return
        figures = self._sold_out.refusal(command.event, command.lines)
        if figures is not None and await self.is_new(command.event, command.purchase):
            # Nothing is kept of it, so the same request may have more luck later.
            raise Refused("sold-out", figures=figures, retryable=True)

    async def _outcome(self, command: BuyersCommand, wait: float) -> Outcome | None:
        await self._refuse_early(command)
        waiter = Waiter(command.event, command.purchase, answers_to(command), wait)
        asked_at = self._sold_out.now()
        with self._waiters.waiting(waiter):
            self._hand_in(command, waiter)
            await waiter.wait()
            await waiter.wait_for_acknowledgement(GIVE_UP_S + MARGIN_S)
        if waiter.outcome is None and not waiter.acknowledged:
            raise Unavailable(KAFKA) from waiter.failure
        if waiter.outcome is not None:
            self._sold_out.learn(waiter.outcome, asked_at)
        return waiter.outcome

    def _hand_in(self, command: BuyersCommand, waiter: Waiter) -> None:
        key = text_of(command.event).encode()
        span = current_span()
        if span is not None:
            span.set_attributes({"event": str(command.event), "purchase": public_id(command.event, command.purchase)})
        self._log.append(key, encode_command(command), waiter.acknowledge, waiter.fail)


def _mark(command: BuyersCommand) -> tuple[int, ...]:
    """What is the same for a command sent twice; numbers, since Python itself hashes and compares them."""
    if isinstance(command, (Confirm, Cancel)):
        return command.event.int, (command.request or command.purchase).int, command.account.int
    return command.event.int, command.purchase.int
