"""Refusing early, on a clock that the test turns."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.adapters.ledger.sold_out_cache import EVENTS_MAX, FRESH_S, RENEW_S, SoldOutCache
from tables.messages.commands import Buy, TicketLine
from tables.messages.outcomes import Outcome, OutcomeKind, encode_outcome
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable
from tests.unit.api.fakes.ledger import outcome

TYPE = uuid4()
EVENT = uuid4()


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.known = SoldOutCache(self.clock)

    def learn(self, available: int = 0, **more: Any) -> None:
        self.known.learn(told(available, **more), [TicketLine(TYPE, 4)], self.clock.now)

    def refuses(self, quantity: int = 1, event: UUID = EVENT) -> bool:
        return self.known.refusal(event, [TicketLine(TYPE, quantity)]) is not None


def told(available: int, kind: OutcomeKind = OutcomeKind.REJECTED, **more: Any) -> Outcome:
    figures = {"limit": 9, "requested": 4, "available": available, "held": 1, "ticketType": str(TYPE)}
    command = Buy(more.pop("event", EVENT), uuid4(), uuid4(), [TicketLine(TYPE, 4)])
    fields: dict[str, object] = {"reason": Reason.SOLD_OUT, "figures": figures}
    return outcome(command, kind, **fields | more)


def test_what_the_ledger_has_just_refused_is_refused_with_its_figures() -> None:
    bench = Bench()
    assert not bench.refuses()
    bench.learn()
    assert bench.known.refusal(EVENT, [TicketLine(TYPE, 1), TicketLine(TYPE, 2)]) == {
        "limit": 9,
        "requested": 3,
        "available": 0,
        "held": 1,
        "ticketType": str(TYPE),
    }
    assert not bench.refuses(event=uuid4())
    assert bench.known.refusal(EVENT, [TicketLine(uuid4(), 1)]) is None


def test_who_wants_no_more_than_what_is_left_is_not_refused() -> None:
    bench = Bench()
    bench.learn(available=2)
    assert (bench.refuses(2), bench.refuses(3)) == (False, True)


def test_knowledge_that_is_too_old_refuses_nobody() -> None:
    """Stock may have come back since: what bounds how long nobody notices is this age."""
    bench = Bench()
    bench.learn()
    bench.clock.now += FRESH_S
    assert not any(bench.refuses() for _ in range(3))
    bench.learn()
    assert bench.refuses()


def test_one_of_a_crowd_renews_the_knowledge_before_it_is_too_old() -> None:
    bench = Bench()
    bench.learn()
    bench.clock.now += RENEW_S
    assert [bench.refuses() for _ in range(5)] == [False, True, True, True, True]
    bench.learn()
    bench.clock.now += RENEW_S - 0.01
    assert all(bench.refuses() for _ in range(5))


def test_no_more_is_kept_than_of_so_many_events() -> None:
    bench = Bench()
    for _ in range(EVENTS_MAX + 10):
        event = uuid4()
        bench.learn(event=event)
        bench.clock.now += RENEW_S
        assert not bench.refuses(event=event)  # let through, and never answered
    assert sum(len(kept) for kept in vars(bench.known).values() if isinstance(kept, dict)) == EVENTS_MAX


def test_an_answer_to_an_older_question_replaces_no_newer_one() -> None:
    bench = Bench()
    bench.learn()
    asked_before = bench.clock.now - 1
    bench.known.learn(told(0), [TicketLine(TYPE, 4)], asked_before)
    assert bench.refuses()


@pytest.mark.parametrize("kind", ["cancelled", "expired", "refunded", "changed"])
def test_an_outcome_that_may_bring_tickets_back_ends_the_refusing_at_once(kind: str) -> None:
    bench = Bench()
    bench.learn()
    record = encode_outcome(told(0, OutcomeKind(kind)))
    bench.known.read(str(uuid4()).encode(), record)
    assert bench.refuses()
    bench.known.read(str(EVENT).encode(), record)
    assert not bench.refuses()


@pytest.mark.parametrize("kind", ["confirmed", "held", "rejected", "refused"])
def test_an_outcome_that_brings_none_back_does_not(kind: str) -> None:
    bench = Bench()
    bench.learn()
    bench.known.read(str(EVENT).encode(), encode_outcome(told(0, OutcomeKind(kind))))
    assert bench.refuses()


def test_an_old_answer_given_again_and_other_reasons_teach_nothing() -> None:
    bench = Bench()
    bench.learn(repeated=True)
    bench.learn(reason=Reason.PURCHASE_LIMIT_EXCEEDED)
    assert not bench.refuses()


SEATS = [
    TicketLine(TYPE, 1, best=BestAvailable(accessible=True)),
    TicketLine(TYPE, 1, best=BestAvailable(section="A")),
    TicketLine(TYPE, 1, best=BestAvailable()),
    TicketLine(TYPE, 1, ("A-1-1",)),
]


@pytest.mark.parametrize("asked", SEATS)
def test_a_shortage_of_some_seats_is_none_of_others(asked: TicketLine) -> None:
    """The ledger looked among the places for wheelchairs, or in one section, or not at reserved places."""
    bench = Bench()
    bench.known.learn(told(0), [asked], bench.clock.now)
    assert [line for line in SEATS if bench.known.refusal(EVENT, [line])] == [asked]
