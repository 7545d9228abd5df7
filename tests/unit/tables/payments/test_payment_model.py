"""Whatever is lost, repeated, reordered or late: in the end what was captured and not refunded is what was sold.

Less what the organizer gave back as goodwill, for tickets that are kept.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tables.payments.transitions
from tables.payments.records import RefundStatus
from tables.payments.transitions import PaymentState, Signal, Step
from tests.unit.tables.payments.payment_world import World

MOVES: dict[str, Callable[[World, int], object]] = {
    "start": lambda world, _: world.start(),
    "start with the hold": lambda world, _: world.start_with_hold(),
    "approve": lambda world, _: world.pay(at_once=False),
    "pay at once": lambda world, _: world.pay(at_once=True),
    "decline": lambda world, _: world.news.extend(world.provider.decline()),
    "payment expires": lambda world, _: world.news.extend(world.provider.expire()),
    "outcome": lambda world, _: world.hear(keep=False),
    "outcome twice": lambda world, _: world.hear(keep=True),
    "news": lambda world, at: world.learn(at, keep=False),
    "news twice": lambda world, at: world.learn(at, keep=True),
    "lost news": lambda world, at: world.news and world.news.pop(at % len(world.news)),
    "task": lambda world, at: world.work(at, keep=False),
    "task twice": lambda world, at: world.work(at, keep=True),
    "lost task": lambda world, at: world.tasks and world.tasks.pop(at % len(world.tasks)),
    "partner confirms": lambda world, _: world.ledger.confirm("till 4711", is_elsewhere=True),
    "end": lambda world, _: world.ledger.end(),
    "reduce": lambda world, _: world.ledger.reduce(),
    "goodwill": lambda world, at: world.order_refund(Decimal(1 + at)),
    "order with a ticket": lambda world, _: world.order_refund(None),
    "check": lambda world, _: world.check(),
    "crash": lambda world, at: world.replay(1 + at % len(world.log)),
}
# The void overtook the request that makes the payment, which is paid at once.
LATE: dict[str, Callable[[World, int], object]] = {"late": lambda world, _: world.pay_late()}
moves = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 30)), max_size=40)
SHOWN = [("start", 0), ("task", 0), ("news twice", 0)]
# News of a payment that the provider has closed are still under way when the buyer makes another one.
TRIED = [*SHOWN, ("payment expires", 0), ("news twice", 1), ("start", 0)]
beginnings = st.sampled_from([[], SHOWN, TRIED])


def play(chosen: list[tuple[str, int]], *, is_started: bool = False) -> None:
    world = World(is_started=is_started)
    for name, at in chosen:
        (MOVES | LATE)[name](world, at)
    world.drain()
    assert world.record is not None
    assert world.record.is_finished or world.record.state is PaymentState.DUE, world.record
    kept = max(Decimal(0), world.ledger.sold - world.goodwill)
    assert world.provider.captured - world.provider.refunded == kept, world.record
    assert world.provider.authorized == Decimal(0), world.record
    assert (world.record.captured, world.record.refunded) == (world.provider.captured, world.provider.refunded)
    assert RefundStatus.ORDERED not in {order.status for order in world.record.refunds}, world.record


@given(beginnings, moves, st.booleans())
@settings(max_examples=400)
def test_nobody_is_charged_without_tickets_and_nobody_has_tickets_without_having_paid(
    first: list[tuple[str, int]], chosen: list[tuple[str, int]], is_started: bool
) -> None:
    play([*first, *chosen], is_started=is_started)


OPENED = [("start", 0), ("task", 0), ("news", 0), ("task", 0), ("outcome", 0)]
AUTHORIZED = [*OPENED, ("approve", 0), ("news", 0)]
PAID = [*AUTHORIZED, ("task", 0), ("outcome", 0)]
S, E = PaymentState, Signal


@pytest.mark.parametrize(
    ("pair", "weak", "chosen"),
    [
        ((S.CAPTURED, E.RETURNED_PAID), Step(S.REFUNDED), [*PAID, ("task", 0), ("news", 0), ("end", 0)]),
        (
            (S.AUTHORIZING, E.ENDED),
            Step(S.ENDED),
            [*OPENED, ("end", 0), ("outcome", 0), ("approve", 0), ("lost news", 0)],
        ),
        ((S.CONFIRMING, E.REFUSED), Step(S.VOIDED), [*AUTHORIZED, ("end", 0)]),
        ((S.AUTHORIZING, E.AUTHORIZED), Step(S.CAPTURED), [*AUTHORIZED, ("end", 0)]),
        ((S.CAPTURING, E.VOIDED), Step(S.CAPTURED), [*PAID, ("payment expires", 0)]),
        ((S.VOIDED, E.CAPTURED_MORE), Step(S.VOIDED), [("start", 0), ("end", 0), ("outcome", 0), ("late", 0)]),
    ],
)
def test_the_model_finds_a_row_that_is_wrong(
    pair: tuple[PaymentState, Signal], weak: Step, chosen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(chosen)
    monkeypatch.setitem(tables.payments.transitions.TRANSITIONS, pair, weak)
    with pytest.raises(AssertionError):
        play(chosen)


def test_a_paid_purchase_is_captured_once() -> None:
    world = World()
    for name, at in PAID:
        MOVES[name](world, at)
    assert world.state() == "capturing"
    world.drain()
    assert world.state() == "captured"
    assert len(world.provider.answers) == 2


CAPTURED = [*PAID, ("task", 0), ("news", 0)]


def test_goodwill_is_refunded_once_and_tickets_that_go_back_later_give_no_more_than_what_is_left() -> None:
    world = World()
    for name, at in [*CAPTURED, ("goodwill", 9), ("crash", 8)]:
        MOVES[name](world, at)
    world.drain()
    assert (world.state(), world.provider.refunded, world.goodwill) == ("captured", Decimal(10), Decimal(10))
    world.ledger.end()
    world.drain()
    assert (world.state(), world.provider.refunded) == ("refunded", world.provider.captured)


def test_a_refund_whose_answer_was_lost_is_not_taken_for_a_later_one() -> None:
    first = [*CAPTURED, ("reduce", 0), ("outcome", 0), ("task", 0), ("lost news", 0)]
    play([*first, ("reduce", 0), ("outcome", 0), ("check", 0), ("check", 0), ("task", 0), ("task", 0)])
