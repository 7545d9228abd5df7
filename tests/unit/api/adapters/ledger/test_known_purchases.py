"""Asking what is on record, for many at once."""

import asyncio
from collections.abc import Collection, Iterable
from uuid import UUID, uuid4

from api.adapters.ledger.known_purchases import KnownPurchases
from api.problems import Unavailable


def are_new(asked: KnownPurchases, event: UUID, purchases: Iterable[UUID]) -> list[bool]:
    async def ask() -> list[bool]:
        return await asyncio.gather(*(asked.is_new(event, purchase) for purchase in purchases))

    return asyncio.run(ask())


def test_a_purchase_on_record_is_not_new() -> None:
    old, fresh = uuid4(), uuid4()
    asked = KnownPurchases(lambda event, purchases: {old} & set(purchases), gather_s=0)
    assert are_new(asked, uuid4(), [old, fresh]) == [False, True]


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
