"""Whose turn it is, with threads that do nothing in their turns but wait to be let go."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from api.auth.fair_queue import FairQueue
from api.auth.passwords import HASHES_AT_ONCE, WAITING_MAX
from api.problems import Refused
from tests.eventually import eventually

WITHIN_S = 20.0


@dataclass
class Crowd:
    """Callers, each in a thread; the turns that were had, and the refusals, in their order."""

    queue: FairQueue
    about: str = ""
    had: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    def come(self, *clients: str) -> None:
        """Each waits in line before the next one comes."""
        for client in clients:
            before = self.queue.waiting
            self._start(client)
            eventually(partial(self._is_longer_than, before), within=WITHIN_S)

    def push_out(self, client: str, other: "Crowd") -> None:
        """The client comes, and somebody of the other crowd gives up a place."""
        self._start(client)
        eventually(lambda: other.refused, within=WITHIN_S)

    def come_in_vain(self, client: str) -> None:
        with pytest.raises(Refused) as refused, self.queue.turn(client, self.about or f"account of {client}"):
            pass
        assert (refused.value.kind, refused.value.headers["Retry-After"]) == ("passwords-busy", "3")

    def _start(self, client: str) -> None:
        self.threads.append(threading.Thread(target=self._ask, args=(client,)))
        self.threads[-1].start()

    def _is_longer_than(self, before: int) -> bool:
        return self.queue.waiting > before

    def _ask(self, client: str) -> None:
        try:
            with self.queue.turn(client, self.about or f"account of {client}"):
                self.had.append(client)
        except Refused:
            self.refused.append(client)

    def end(self) -> None:
        for thread in self.threads:
            thread.join(WITHIN_S)
            assert not thread.is_alive()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd(FairQueue(1, 6, WITHIN_S))
    yield crowd
    crowd.end()


def test_who_asks_once_waits_for_one_of_each_other_client(crowd: Crowd) -> None:
    with crowd.queue.turn("somebody", ""):
        crowd.come("much", "much", "much", "more", "more", "honest")
    crowd.end()
    assert crowd.had == ["much", "more", "honest", "much", "more", "much"]
    assert not crowd.refused


def test_where_all_places_are_taken_the_largest_crowd_gives_up_one(crowd: Crowd) -> None:
    with crowd.queue.turn("somebody", ""):
        crowd.come("much", "much", "much", "more", "more", "more")
        crowd.push_out("honest", crowd)
        crowd.come_in_vain("more")
    crowd.end()
    assert sorted(crowd.had) == ["honest", "more", "more", "more", "much", "much"]
    assert crowd.refused == ["much"]


def test_many_clients_that_guess_one_account_give_up_one_for_another_account(crowd: Crowd) -> None:
    guessing = Crowd(crowd.queue, "her account")
    with crowd.queue.turn("somebody", ""):
        guessing.come("a", "b", "c", "d", "e", "f")
        crowd.push_out("honest", guessing)
        guessing.come_in_vain("g")
    guessing.end()
    crowd.end()
    assert (guessing.refused, crowd.had, crowd.refused) == (["f"], ["honest"], [])


def test_who_does_not_get_a_turn_in_time_is_told_to_come_again() -> None:
    queue = FairQueue(1, 6, 0.01)
    crowd = Crowd(queue)
    with queue.turn("somebody", ""):
        crowd.come_in_vain("late")
    assert queue.waiting == 0
    with queue.turn("later", ""):
        pass


def test_a_turn_ends_with_its_error() -> None:
    queue = FairQueue(1, 6, WITHIN_S)
    for _ in range(3):
        with pytest.raises(ValueError, match="mine"), queue.turn("somebody", ""):
            raise ValueError("mine")


def test_as_many_as_there_are_turns_go_through_at_once() -> None:
    queue = FairQueue(2, 1, 0.01)
    with queue.turn("one", ""), queue.turn("two", ""):
        Crowd(queue).come_in_vain("three")


def test_two_hundred_who_sign_in_at_once_behind_one_address_all_get_a_turn() -> None:
    crowd = Crowd(FairQueue(HASHES_AT_ONCE, WAITING_MAX, WITHIN_S))
    with crowd.queue.turn("campus", "one"), crowd.queue.turn("campus", "two"):
        crowd.come(*["campus"] * 198)
    crowd.end()
    assert (len(crowd.had), crowd.refused) == (198, [])
