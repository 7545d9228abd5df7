"""Commands and their outcomes, with a producer and a consumer that the test plays."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from opentelemetry.trace import SpanKind

from api.adapters.ledger.client import LedgerClient
from api.adapters.ledger.command_producer import Done, Failed
from api.adapters.ledger.known_purchases import KnownPurchases
from api.adapters.ledger.pending_requests import PendingRequests
from api.adapters.ledger.sold_out_cache import SoldOutCache
from api.ports.ledger import BuyersCommand
from api.problems import Refused, Unavailable
from api.schemas.purchase import pending, public_id
from tables.messages.commands import Buy, Cancel, Confirm, TicketLine, decode_command
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine, encode_outcome
from tables.messages.reasons import Reason
from telemetry.traces import in_span
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.looking import threads_while
from tests.unit.telemetry.kept import KeptTraces

TYPE = uuid4()
# Of every command.
OFFSET = 0


@dataclass
class PlayedProducer:
    """Hands every command to ``play``."""

    play: Callable[[Any, Done, Failed], object] = lambda command, done, failed: None
    is_open: bool = True
    keys: list[bytes] = field(default_factory=list)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def append(self, key: bytes, value: bytes, done: Done, failed: Failed) -> None:
        self.keys.append(key)
        command = decode_command(value)
        assert isinstance(command, BuyersCommand)
        self.play(command, done, failed)


@dataclass
class PlayedConsumer:
    """Always there, or never."""

    is_following: bool = True

    def open(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class Bench:
    """A client on a played producer."""

    producer: PlayedProducer = field(default_factory=PlayedProducer)
    consumer: PlayedConsumer = field(default_factory=PlayedConsumer)
    pending: PendingRequests = field(default_factory=PendingRequests)
    sold_out: SoldOutCache = field(default_factory=SoldOutCache)
    on_record: set[UUID] = field(default_factory=set)
    requests_max: int = 10

    def __post_init__(self) -> None:
        known = KnownPurchases(lambda event, purchases: self.on_record & set(purchases), gather_s=0)
        parts: Any = (self.producer, self.consumer, self.pending, self.sold_out, known, self.requests_max)
        self.client = LedgerClient(*parts)

    def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        return asyncio.run(self.client.carry_out(command, wait))

    def watch(self, *asked: Any) -> Any:
        return asyncio.run(self.client.watch(*asked))

    def tell(self, told: Outcome) -> None:
        self.sold_out.read(str(told.event).encode(), encode_outcome(told))
        self.pending.read(None, encode_outcome(told))

    def answers(self, kind: OutcomeKind, **more: object) -> None:
        """Acknowledge every command, then tell of this outcome."""

        def play(command: Buy, done: Done, failed: Failed) -> None:
            done(OFFSET)
            self.tell(outcome(command, kind, **more))

        self.producer.play = play


def purchase(*, event: UUID | None = None, purchase_id: UUID | None = None, quantity: int = 1) -> Buy:
    return Buy(event or uuid4(), purchase_id or uuid4(), uuid4(), [TicketLine(TYPE, quantity)])


def test_the_outcome_of_a_purchase_is_its_answer_and_nobody_waits_on() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED, lines=(OutcomeLine(TYPE, "Stalls", 1, Decimal(10)),))
    command = purchase()
    found = bench.carry_out(command, 5)
    assert found is not None
    assert (found.kind, found.purchase) == (OutcomeKind.CONFIRMED, command.purchase)
    assert bench.producer.keys == [str(command.event).encode()]
    assert len(bench.pending) == 0


def test_a_purchase_is_found_among_the_traces_by_the_id_that_its_buyer_has() -> None:
    bench, traces, command = Bench(), KeptTraces(), purchase()
    bench.answers(OutcomeKind.REJECTED)
    span = traces.begin("buy", SpanKind.SERVER, {})
    with in_span(span):
        bench.carry_out(command, 5)
    span.end()
    [kept] = traces.spans()
    ids = {"event": str(command.event), "purchase": public_id(command.event, command.purchase)}
    assert dict(kept.attributes or {}) == ids


def test_an_outcome_that_overtakes_the_acknowledgement_is_enough() -> None:
    bench = Bench()
    bench.producer.play = lambda command, done, failed: bench.tell(outcome(command, OutcomeKind.REJECTED))
    assert bench.carry_out(purchase(), 5) is not None


def test_a_purchase_that_is_decided_is_not_on_its_way() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED)
    command = purchase()
    bench.carry_out(command, 5)
    assert bench.client.accepted(command.event, command.purchase) is None


def test_an_acknowledged_purchase_without_decision_is_accepted() -> None:
    bench = Bench()
    bench.producer.play = lambda command, done, failed: done(OFFSET)
    command = purchase()
    assert bench.carry_out(command, 0.01) is None
    assert bench.client.accepted(command.event, command.purchase) == command.account
    assert bench.client.accepted(uuid4(), command.purchase) is None


def test_a_confirm_without_decision_makes_no_purchase_seem_to_be_on_its_way() -> None:
    bench = Bench()
    bench.producer.play = lambda command, done, failed: done(OFFSET)
    command = Confirm(uuid4(), uuid4(), uuid4(), request=uuid4())
    assert bench.carry_out(command, 0.01) is None
    assert bench.client.accepted(command.event, command.purchase) is None


def test_a_purchase_that_is_not_acknowledged_is_never_accepted() -> None:
    bench = Bench()
    bench.producer.play = lambda command, done, failed: failed(TimeoutError())
    command = purchase()
    with pytest.raises(Unavailable):
        bench.carry_out(command, 5)
    assert not bench.client.accepted(command.event, command.purchase)


@pytest.mark.parametrize("part", ["producer", "consumer"])
def test_nothing_is_sent_while_a_topic_is_out_of_reach(part: str) -> None:
    bench = Bench()
    bench.producer.is_open = part != "producer"
    bench.consumer.is_following = part != "consumer"
    with pytest.raises(Unavailable):
        bench.carry_out(purchase(), 5)
    assert not bench.producer.keys


def test_the_same_key_for_another_event_is_another_purchase() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED)
    command = purchase()
    for event in (command.event, uuid4()):
        found = bench.carry_out(purchase(event=event, purchase_id=command.purchase), 5)
        assert found is not None
        assert found.event == event


def test_a_purchase_that_is_running_is_not_handed_in_again() -> None:
    bench = Bench()
    commands = []
    bench.producer.play = lambda command, done, failed: commands.append(command)
    command = purchase()

    async def twice() -> Outcome | None:
        first = asyncio.create_task(bench.client.carry_out(command, 30))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await bench.client.carry_out(command, 30)
        assert refused.value.kind == "still-running"
        bench.tell(outcome(command, OutcomeKind.CONFIRMED))
        return await first

    assert asyncio.run(twice()) is not None
    assert len(commands) == 1


def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    bench = Bench(requests_max=1)

    async def gone() -> None:
        waiting = asyncio.create_task(bench.client.carry_out(purchase(), 30))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    asyncio.run(gone())
    assert (bench.client.waiting, len(bench.pending)) == (0, 0)
    bench.answers(OutcomeKind.CONFIRMED)
    assert bench.carry_out(purchase(), 5) is not None


def test_a_purchase_that_waited_leaves_nothing_for_the_collector_of_garbage() -> None:
    bench = Bench()

    def play(command: Buy, done: Done, failed: Failed) -> None:
        done(OFFSET)
        asyncio.get_running_loop().call_soon(lambda: bench.tell(outcome(command, OutcomeKind.CONFIRMED)))

    bench.producer.play = play

    async def collected(purchases: int) -> int:
        gc.collect()
        for _ in range(purchases):
            await asyncio.create_task(bench.client.carry_out(purchase(), 5))
        return gc.collect()

    gc.collect()
    gc.freeze()  # what earlier tests left is not looked through again
    # Their threads may leave something meanwhile.
    assert min(asyncio.run(collected(100)) for _ in range(3)) < 100


@pytest.mark.parametrize("told", [True, False])
def test_an_acknowledgement_is_waited_for_longer_than_the_decision(told: bool) -> None:
    bench = Bench()

    def play(command: Buy, done: Done, failed: Failed) -> None:
        asyncio.get_running_loop().call_later(0.05, lambda: done(OFFSET) if told else failed(TimeoutError()))

    bench.producer.play = play
    command = purchase()
    if told:
        assert bench.carry_out(command, 0) is None
    else:
        with pytest.raises(Unavailable):
            bench.carry_out(command, 0)
    assert bench.client.accepted(command.event, command.purchase) == (command.account if told else None)


def test_one_more_than_may_wait_is_told_to_come_again_soon() -> None:
    bench = Bench(requests_max=1)
    bench.producer.play = lambda command, done, failed: done(OFFSET)

    async def crowd() -> list[Any]:
        both = (bench.client.carry_out(purchase(), 0.01) for _ in range(2))
        return await asyncio.gather(*both, return_exceptions=True)

    first, second = asyncio.run(crowd())
    assert first is None
    assert (second.kind, second.headers) == ("busy", {"Retry-After": "1"})
    assert len(bench.producer.keys) == 1


def sold_out(command: Any) -> Outcome:
    figures = {"limit": 5, "requested": 1, "available": 0, "held": 2, "ticketType": str(TYPE)}
    return outcome(command, OutcomeKind.REJECTED, reason=Reason.SOLD_OUT, figures=figures)


def test_once_the_ledger_has_said_sold_out_the_next_is_refused_without_asking() -> None:
    bench = Bench()
    bench.producer.play = lambda command, done, failed: bench.tell(sold_out(command))
    event = uuid4()
    first = bench.carry_out(purchase(event=event), 5)
    with pytest.raises(Refused) as refused:
        bench.carry_out(purchase(event=event, quantity=3), 5)
    assert first is not None
    assert refused.value.kind == "sold-out"
    assert refused.value.extra["retryable"] is True
    assert refused.value.extra["figures"] == first.figures | {"requested": 3}
    assert len(bench.producer.keys) == 1


def test_a_purchase_that_is_decided_gets_its_decision_though_the_event_is_sold_out() -> None:
    """Negative control of the early refusal: without the question of what is on record it is refused."""
    bench = Bench()
    bench.producer.play = lambda command, done, failed: bench.tell(sold_out(command))
    event = uuid4()
    bench.carry_out(purchase(event=event), 5)
    bought = purchase(event=event)
    bench.on_record = {bought.purchase}
    bench.answers(OutcomeKind.CONFIRMED)
    found = bench.carry_out(bought, 5)
    assert found is not None
    assert found.kind is OutcomeKind.CONFIRMED


def test_a_watched_purchase_is_answered_as_soon_as_it_is_decided() -> None:
    bench = Bench()
    command = purchase()

    def look() -> Any:
        bench.tell(outcome(command, OutcomeKind.REJECTED, reason=Reason.SOLD_OUT))
        return pending(command.event, command.purchase, command.account)

    found = bench.watch(command.event, command.purchase, 30, look, lambda account: True)
    assert found is not None
    assert (found.kind, found.reason) == ("rejected", "sold-out")


def test_a_decision_on_somebody_else_s_purchase_ends_no_watch() -> None:
    bench = Bench()
    command = purchase()
    looks: list[None] = []

    def look() -> None:
        bench.tell(outcome(command, OutcomeKind.CONFIRMED))
        looks.append(None)

    assert bench.watch(command.event, command.purchase, 0.01, look, lambda account: False) is None
    # The second look is what ends a wait that nothing ended.
    assert len(looks) == 2


def test_a_watch_ends_with_what_is_known_then() -> None:
    bench = Bench()
    ids = uuid4(), uuid4()
    seen = [pending(*ids, uuid4()), pending(*ids, uuid4()).model_copy(update={"status": "confirmed"})]
    found = bench.watch(*ids, 0.01, lambda: seen.pop(0), lambda account: True)
    assert found is not None
    assert found.status == "confirmed"


def test_those_who_look_at_purchases_that_no_server_tells_leave_the_loop_its_threads() -> None:
    bench = Bench(requests_max=30)
    assert asyncio.run(threads_while(lambda look: bench.client.watch(uuid4(), uuid4(), 0, look, lambda account: True)))


@pytest.mark.parametrize("change", [Confirm, Cancel])
def test_a_stranger_who_asks_meanwhile_is_not_told_that_the_owner_does(change: Any) -> None:
    bench, commands = Bench(requests_max=2), []

    def play(command: Any, done: Done, failed: Failed) -> None:
        commands.append(command)
        done(OFFSET)

    bench.producer.play = play
    bought = purchase()
    asked = change(bought.event, bought.purchase, bought.account, request=uuid4())

    async def both() -> list[Outcome | None]:
        stranger = replace(asked, account=uuid4())
        return await asyncio.gather(*(bench.client.carry_out(command, 0.01) for command in (asked, stranger)))

    assert asyncio.run(both()) == [None, None]
    assert len(commands) == 2
