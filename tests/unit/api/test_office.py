"""The way to the ledger and back, on a log that the test plays."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.bodies.purchase import pending
from api.problems import Refused, Unavailable
from api.servers.log import Done, Failed
from api.servers.office import KafkaOffice
from api.servers.waiters import Waiter, Waiters
from tables.commands import Line, Purchase, decode_command
from tables.errors import MalformedRecord
from tables.fingerprint import fingerprint
from tables.outcomes import Outcome, OutcomeKind, OutcomeLine, encode_outcome
from tables.reasons import Reason
from tests.unit.api.fakes import outcome

TYPE = uuid4()


@dataclass
class PlayedLog:
    """Hands every appended command to ``play``."""

    play: Callable[[Purchase, Done, Failed], None] = lambda command, done, failed: None
    is_open: bool = True
    keys: list[bytes] = field(default_factory=list)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def append(self, key: bytes, value: bytes, done: Done, failed: Failed) -> None:
        self.keys.append(key)
        command = decode_command(value)
        assert isinstance(command, Purchase)
        self.play(command, done, failed)


@dataclass
class PlayedFollower:
    """Always there, or never."""

    is_following: bool = True

    def open(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class Bench:
    """An office on a played log."""

    log: PlayedLog = field(default_factory=PlayedLog)
    follower: PlayedFollower = field(default_factory=PlayedFollower)
    waiters: Waiters = field(default_factory=Waiters)

    def __post_init__(self) -> None:
        parts: Any = (self.log, self.follower, self.waiters)
        self.office = KafkaOffice(*parts)

    def tell(self, told: Outcome) -> None:
        self.waiters.deliver(str(told.event).encode(), encode_outcome(told))

    def answers(self, kind: OutcomeKind, **more: object) -> None:
        """Acknowledge every command, then tell of this outcome."""

        def play(command: Purchase, done: Done, failed: Failed) -> None:
            done(None)
            self.tell(outcome(command, kind, **more))

        self.log.play = play


def purchase(*, event: UUID | None = None, purchase_id: UUID | None = None, quantity: int = 1) -> Purchase:
    return Purchase(event or uuid4(), purchase_id or uuid4(), uuid4(), [Line(TYPE, quantity)])


def test_the_outcome_of_a_purchase_is_its_answer_and_nobody_waits_on() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED, lines=(OutcomeLine(TYPE, "Stalls", 1, Decimal(10)),))
    command = purchase()
    found = bench.office.buy(command, 5)
    assert found is not None
    assert (found.kind, found.purchase) == (OutcomeKind.CONFIRMED, command.purchase)
    assert bench.log.keys == [str(command.event).encode()]
    assert len(bench.waiters) == 0


def test_an_outcome_that_overtakes_the_acknowledgement_is_enough() -> None:
    bench = Bench()
    bench.log.play = lambda command, done, failed: bench.tell(outcome(command, OutcomeKind.REJECTED))
    assert bench.office.buy(purchase(), 5) is not None


def test_an_acknowledged_purchase_without_decision_is_accepted() -> None:
    bench = Bench()
    bench.log.play = lambda command, done, failed: done(None)
    command = purchase()
    assert bench.office.buy(command, 0.01) is None
    assert bench.office.accepted(command.event, command.purchase)
    assert not bench.office.accepted(uuid4(), command.purchase)


def test_a_purchase_that_is_not_acknowledged_is_never_accepted() -> None:
    bench = Bench()
    bench.log.play = lambda command, done, failed: failed(TimeoutError())
    command = purchase()
    with pytest.raises(Unavailable):
        bench.office.buy(command, 5)
    assert not bench.office.accepted(command.event, command.purchase)


@pytest.mark.parametrize("part", ["log", "follower"])
def test_nothing_is_sent_while_a_topic_is_out_of_reach(part: str) -> None:
    bench = Bench()
    bench.log.is_open = part != "log"
    bench.follower.is_following = part != "follower"
    with pytest.raises(Unavailable):
        bench.office.buy(purchase(), 5)
    assert not bench.log.keys


def test_another_body_under_a_decided_purchase_is_refused() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED, fingerprint="of another body")
    with pytest.raises(Refused) as refused:
        bench.office.buy(purchase(), 5)
    assert refused.value.kind == "idempotency-key-reused"


def test_another_event_under_a_used_key_is_refused_unsent() -> None:
    bench = Bench()
    bench.answers(OutcomeKind.CONFIRMED)
    command = purchase()
    bench.office.buy(command, 5)
    with pytest.raises(Refused):
        bench.office.buy(purchase(purchase_id=command.purchase), 5)
    assert len(bench.log.keys) == 1
    assert bench.office.buy(command, 5) is not None


def test_a_purchase_that_is_running_is_not_handed_in_again() -> None:
    bench = Bench()
    sent = threading.Event()
    commands = []

    def play(command: Purchase, done: Done, failed: Failed) -> None:
        commands.append(command)
        sent.set()

    bench.log.play = play
    command = purchase()
    first = threading.Thread(target=bench.office.buy, args=(command, 30))
    first.start()
    assert sent.wait(5)
    with pytest.raises(Refused) as refused:
        bench.office.buy(command, 30)
    assert refused.value.kind == "still-running"
    bench.tell(outcome(command, OutcomeKind.CONFIRMED))
    first.join(5)
    assert not first.is_alive()
    assert len(commands) == 1


def test_a_waiting_purchase_takes_only_its_own_answer() -> None:
    command = purchase()
    own = fingerprint(command.account, command.lines, "purchase")
    waiter = Waiter(command.event, command.purchase, own)
    waiters = Waiters()
    with waiters.waiting(waiter):
        for told in (
            outcome(command, OutcomeKind.CANCELLED),
            outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED, fingerprint="of another body"),
            outcome(command, OutcomeKind.REFUSED, reason=Reason.NOT_HELD),
            outcome(purchase(event=command.event), OutcomeKind.CONFIRMED),
            outcome(command, OutcomeKind.CHANGED, purchase=None),
        ):
            waiters.deliver(str(told.event).encode(), encode_outcome(told))
            assert waiter.outcome is None
        refused = outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED)
        waiters.deliver(str(command.event).encode(), encode_outcome(refused))
    assert waiter.outcome == refused


def test_records_that_nobody_waits_for_are_not_even_read() -> None:
    waiters = Waiters()
    waiters.deliver(str(uuid4()).encode(), b"{")
    waiters.deliver(None, None)
    command = purchase()
    with waiters.waiting(Waiter(command.event, command.purchase)), pytest.raises(MalformedRecord):
        waiters.deliver(str(command.event).encode(), b"{")


def test_all_who_watch_one_purchase_are_told() -> None:
    command = purchase()
    waiters = Waiters()
    one, two = Waiter(command.event, command.purchase), Waiter(command.event, command.purchase)
    with waiters.waiting(one), waiters.waiting(two):
        told = outcome(command, OutcomeKind.EXPIRED)
        waiters.deliver(str(command.event).encode(), encode_outcome(told))
    assert (one.outcome, two.outcome, len(waiters)) == (told, told, 0)


def test_a_watched_purchase_is_answered_as_soon_as_it_is_decided() -> None:
    bench = Bench()
    command = purchase()

    def look() -> Any:
        bench.tell(outcome(command, OutcomeKind.REJECTED, reason=Reason.SOLD_OUT))
        return pending(command.event, command.purchase)

    found = bench.office.watch(command.event, command.purchase, 30, look)
    assert found is not None
    assert (found.status, found.reason) == ("rejected", "sold-out")


def test_a_watch_ends_with_what_is_known_then() -> None:
    bench = Bench()
    ids = uuid4(), uuid4()
    seen = [pending(*ids), pending(*ids).model_copy(update={"status": "confirmed"})]
    found = bench.office.watch(*ids, 0.01, lambda: seen.pop(0))
    assert found is not None
    assert found.status == "confirmed"
