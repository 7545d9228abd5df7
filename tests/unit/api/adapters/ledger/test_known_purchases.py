"""Asking what is on record, for many at once."""

import asyncio
import threading
from collections.abc import Collection, Iterable
from uuid import UUID, uuid4

import pytest

from api.adapters.ledger import known_purchases
from api.adapters.ledger.known_purchases import LOOKUPS_MAX, KnownPurchases
from api.problems import Unavailable
from tables.messages.commands import Buy
from tests.unit.api.soon import soon


def are_new(asked: KnownPurchases, event: UUID, purchases: Iterable[UUID]) -> list[bool]:
    async def ask() -> list[bool]:
        return await asyncio.gather(*(asked.is_new(event, purchase) for purchase in purchases))

    return asyncio.run(ask())


def test_a_purchase_on_record_or_in_the_log_is_not_new() -> None:
    old, fresh = uuid4(), uuid4()
    asked = KnownPurchases(lambda event, purchases: {old} & set(purchases), gather_s=0)
    undecided = Buy(uuid4(), uuid4(), uuid4(), [])
    asked.accept(undecided)
    assert are_new(asked, undecided.event, [old, fresh, undecided.purchase]) == [False, True, False]


def test_where_nobody_can_tell_nothing_is_new() -> None:
    def nobody(event: UUID, purchases: Collection[UUID]) -> set[UUID]:
        raise Unavailable("worker")

    asked = KnownPurchases(nobody, gather_s=0)
    assert are_new(asked, uuid4(), [uuid4()]) == [False]


def test_many_who_ask_at_once_are_one_question_each_with_its_own_answer() -> None:
    event = uuid4()
    purchases = [uuid4() for _ in range(20)]
    old = set(purchases[::2])
    questions: list[set[UUID]] = []

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        questions.append(set(asked))
        return old & set(asked)

    answers = are_new(KnownPurchases(ask), event, purchases)
    assert answers == [purchase not in old for purchase in purchases]
    assert questions == [set(purchases)]


def test_a_lookup_is_never_too_long() -> None:
    event = uuid4()
    questions: list[int] = []

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        questions.append(len(asked))
        return set()

    assert all(are_new(KnownPurchases(ask, lookup_max=3), event, [uuid4() for _ in range(8)]))
    assert sorted(questions) == [2, 3, 3]


def test_whatever_goes_wrong_leaves_nobody_waiting() -> None:
    def broken(event: UUID, purchases: Collection[UUID]) -> set[UUID]:
        raise RuntimeError("nobody expected that")

    assert are_new(KnownPurchases(broken, gather_s=0), uuid4(), [uuid4()]) == [False]


def test_what_is_asked_later_is_a_question_of_its_own() -> None:
    questions: list[set[UUID]] = []

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        questions.append(set(asked))
        return set()

    async def scenario() -> None:
        known, event = KnownPurchases(ask, gather_s=0.01), uuid4()
        first, second = uuid4(), uuid4()
        assert await known.is_new(event, first)
        assert await known.is_new(event, second)
        assert questions == [{first}, {second}]

    asyncio.run(scenario())


def test_an_error_is_that_of_all_who_asked_and_of_nobody_later() -> None:
    is_down = [True]

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        if is_down:
            raise Unavailable("worker")
        return set()

    known, event, purchases = KnownPurchases(ask, gather_s=0.01), uuid4(), [uuid4(), uuid4()]
    assert are_new(known, event, purchases) == [False, False]
    is_down.clear()
    assert are_new(known, event, purchases) == [True, True]


def test_who_gives_up_takes_nothing_from_the_others() -> None:
    async def scenario() -> None:
        known, event = KnownPurchases(lambda *_: set(), gather_s=0.01), uuid4()
        patient = asyncio.create_task(known.is_new(event, uuid4()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(known.is_new(event, uuid4()), 0.001)
        assert await patient

    asyncio.run(scenario())


def test_a_question_that_hangs_holds_up_no_other_event_and_no_later_question() -> None:
    async def scenario() -> None:
        goes_on = threading.Event()
        questions: list[tuple[UUID, set[UUID]]] = []
        hangs = uuid4()

        def ask(event: UUID, asked: Collection[UUID]) -> set[UUID]:
            questions.append((event, set(asked)))
            assert hangs not in asked or goes_on.wait(10)
            return set()

        known = KnownPurchases(ask, gather_s=0.001)
        one, other, purchase = uuid4(), uuid4(), uuid4()
        hanging = asyncio.create_task(known.is_new(one, hangs))
        await soon(lambda: questions == [(one, {hangs})])
        assert all(await asyncio.gather(known.is_new(one, purchase), known.is_new(other, purchase)))
        assert sorted(questions[1:]) == sorted([(one, {purchase}), (other, {purchase})])
        goes_on.set()
        assert await hanging

    asyncio.run(scenario())


def test_many_questions_at_once_are_all_asked() -> None:
    """Else who asks about many events at once would get past what only new purchases are refused for."""

    def ask(event: UUID, purchases: Collection[UUID]) -> set[UUID]:
        return set()

    async def scenario() -> None:
        known = KnownPurchases(ask, gather_s=0)
        assert all(await asyncio.gather(*(known.is_new(uuid4(), uuid4()) for _ in range(5 * LOOKUPS_MAX))))

    asyncio.run(scenario())


def test_questions_that_hang_leave_threads_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_purchases, "THREAD_WAIT_S", 0.05)

    async def scenario() -> None:
        goes_on = threading.Event()

        def ask(event: UUID, purchases: Collection[UUID]) -> set[UUID]:
            goes_on.wait(10)
            return set()

        known = KnownPurchases(ask, gather_s=0)
        asking = [asyncio.create_task(known.is_new(uuid4(), uuid4())) for _ in range(LOOKUPS_MAX + 9)]
        await soon(lambda: sum(each.done() for each in asking) == 9)
        goes_on.set()
        assert sorted(await asyncio.gather(*asking)) == [False] * 9 + [True] * LOOKUPS_MAX

    asyncio.run(scenario())
