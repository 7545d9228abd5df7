"""Asking what is on record, for many at once."""

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from api.problems import Unavailable
from api.servers import census
from api.servers.census import Census


def test_a_purchase_on_record_is_not_new() -> None:
    old, fresh = uuid4(), uuid4()
    asked = Census(lambda event, purchases: {old} & set(purchases), gather=0)
    assert (asked.is_new(uuid4(), old), asked.is_new(uuid4(), fresh)) == (False, True)


def test_where_nobody_can_tell_nothing_is_new() -> None:
    def nobody(event: UUID, purchases: Collection[UUID]) -> set[UUID]:
        raise Unavailable("worker")

    asked = Census(nobody, gather=0)
    assert not asked.is_new(uuid4(), uuid4())


def test_many_who_ask_at_once_are_one_question_each_with_its_own_answer() -> None:
    event = uuid4()
    purchases = [uuid4() for _ in range(20)]
    old = set(purchases[::2])
    questions: list[set[UUID]] = []

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        questions.append(set(asked))
        return old & set(asked)

    together = threading.Barrier(len(purchases))
    asked = Census(ask, gather=0.3)

    def one(purchase: UUID) -> bool:
        together.wait()
        return asked.is_new(event, purchase)

    with ThreadPoolExecutor(len(purchases)) as crowd:
        answers = list(crowd.map(one, purchases))
    assert answers == [purchase not in old for purchase in purchases]
    assert len(questions) < len(purchases)
    assert set().union(*questions) == set(purchases)


def test_a_question_is_never_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "MOST", 3)
    event = uuid4()
    questions: list[int] = []

    def ask(_: UUID, asked: Collection[UUID]) -> set[UUID]:
        questions.append(len(asked))
        return set()

    asked = Census(ask, gather=0.3)
    with ThreadPoolExecutor(8) as crowd:
        assert all(crowd.map(lambda _: asked.is_new(event, uuid4()), range(8)))
    assert max(questions) <= 3
