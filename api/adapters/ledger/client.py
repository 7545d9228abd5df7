"""The client of the ledger: sends a command to ``ticket-commands`` and waits for its outcome on ``ticket-purchase``.

The rules: a request is registered as pending before its command is sent; only what the broker acknowledged is
answered; this process never sends a command twice at once; at most ``requests_max`` requests wait.

Everything runs in the loop unless it says otherwise.
"""

from collections.abc import Callable
from uuid import UUID

from api.adapters.ledger.command_producer import ACKNOWLEDGED_WITHIN_S, KAFKA, CommandProducer
from api.adapters.ledger.fresh_holds import FreshHolds
from api.adapters.ledger.known_purchases import KnownPurchases
from api.adapters.ledger.outcome_consumer import OutcomeConsumer
from api.adapters.ledger.pending_requests import (
    WAITING_MAX_REQUESTS,
    ConcurrencyLimit,
    PendingRequest,
    PendingRequests,
    RunningCommands,
    answers_to,
    any_decision,
)
from api.adapters.ledger.sold_out_cache import SoldOutCache
from api.auth.tokens import MaySee
from api.ports.ledger import BuyersCommand, LedgerGateway
from api.problems import Refused, Unavailable
from api.schemas.purchase import Purchase, public_id
from api.web.wsgi_threads import look_in_thread
from tables.ids import id_bytes
from tables.messages.commands import Buy as PurchaseCommand
from tables.messages.commands import Hold, encode_command
from tables.messages.outcomes import Outcome
from tables.messages.payment_events import PaymentEvent
from telemetry.traces import current_span


class LedgerClient(LedgerGateway):
    """Commands to the ledger and its outcomes, by Kafka."""

    def __init__(
        self,
        producer: CommandProducer,
        consumer: OutcomeConsumer,
        pending: PendingRequests,
        sold_out: SoldOutCache,
        known: KnownPurchases,
        requests_max: int = WAITING_MAX_REQUESTS,
    ) -> None:
        self._producer = producer
        self._consumer = consumer
        self._pending = pending
        self._sold_out = sold_out
        self._known = known
        self._fresh = FreshHolds()
        self._running = RunningCommands()
        self._deciding = ConcurrencyLimit(requests_max)
        self._watching = ConcurrencyLimit(requests_max)

    def open(self) -> None:
        """Begin to connect to both topics."""
        self._consumer.open()
        self._producer.open()

    async def close(self) -> None:
        await self._producer.close()
        await self._consumer.close()

    @property
    def waiting(self) -> int:
        """Commands that are sent and not answered yet."""
        return len(self._running)

    @property
    def is_ready(self) -> bool:
        """Whether commands can be sent and outcomes are consumed."""
        return self._producer.is_open and self._consumer.is_following

    def probe(self) -> None:
        """In any thread. Raises Unavailable unless it is ready."""
        if not self.is_ready:
            raise Unavailable(KAFKA)

    def check_limit(self) -> None:
        self._deciding.check()

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        self.probe()
        key = self._running.begin(command)
        try:
            with self._deciding:
                outcome = await self._decide(command, wait)
        finally:
            self._running.end(key)
        # Not a confirm or cancel, whose purchase may not exist; nor what is decided, which would cost every purchase
        # a tenth.
        if outcome is None and isinstance(command, (PurchaseCommand, Hold)):
            self._known.accept(command)
        elif outcome is not None and outcome.payment is not None:
            self._fresh.learn(outcome)
        return outcome

    async def watch(
        self, event: UUID, purchase: UUID, wait: float, look: Callable[[], Purchase | None], may_see: MaySee
    ) -> Purchase | Outcome | None:
        """What ``look`` finds now; if that is nothing or pending, the outcome of the next ``wait`` seconds.

        ``look`` is called in a thread. The outcome for an account that the caller may not see ends no wait.
        """

        def is_shown(outcome: Outcome) -> bool:
            return any_decision(outcome) and outcome.account is not None and may_see(outcome.account)

        request = PendingRequest(event, purchase, is_shown, wait)
        with self._watching, self._pending.waiting(request):
            found = await look_in_thread(look)
            if found is not None and found.status != "pending":
                return found
            await request.wait()
        return request.outcome or await look_in_thread(look)

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """In any thread: whose purchase it is, if this process lately logged it and got no outcome in time."""
        return self._known.accepted(event, purchase)

    def take_hold(self, event: UUID, purchase: UUID, may_see: MaySee) -> PaymentEvent | None:
        return self._fresh.take(event, purchase, may_see)

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        return await self._known.is_new(event, purchase)

    async def _decide(self, command: BuyersCommand, wait: float) -> Outcome | None:
        if isinstance(command, (PurchaseCommand, Hold)):
            await self._check_stock(command)
        request = PendingRequest(command.event, command.purchase, answers_to(command), wait)
        asked_at = self._sold_out.now()
        with self._pending.waiting(request):
            self._send(command, request)
            await request.wait()
            await request.wait_for_acknowledgement(ACKNOWLEDGED_WITHIN_S)
        if request.outcome is None and not request.acknowledged:
            raise Unavailable(KAFKA) from request.failure
        if request.outcome is not None and isinstance(command, (PurchaseCommand, Hold)):
            self._sold_out.learn(request.outcome, command.lines, asked_at)
        return request.outcome

    async def _check_stock(self, command: PurchaseCommand | Hold) -> None:
        """Refused: sold-out, if the ledger has just said so and has no decision on this purchase yet."""
        figures = self._sold_out.refusal(command.event, command.lines)
        if figures is not None and await self._known.is_new(command.event, command.purchase):
            # Nothing is recorded of it, so the same request may succeed later.
            raise Refused("sold-out", figures=figures, retryable=True)

    def _send(self, command: BuyersCommand, request: PendingRequest) -> None:
        span = current_span()
        if span is not None:
            span.set_attributes({"event": str(command.event), "purchase": public_id(command.event, command.purchase)})
        key = id_bytes(command.event)
        self._producer.append(key, encode_command(command), request.acknowledge, request.fail)
