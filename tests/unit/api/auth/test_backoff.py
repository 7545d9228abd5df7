"""Waits that grow, and what is forgiven."""

import pytest

from api.auth.backoff import Backoff, BackoffRule

RULE = BackoffRule(free=3, forgiven_s=60, wait_max_s=60)


class Clock:
    """Moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waits(backoff: Backoff, clock: Clock, tries: int) -> list[int]:
    """The wait after each of so many tries, each one made once it may be."""
    found = []
    for _ in range(tries):
        backoff.count("key", RULE)
        found.append(round(backoff.wait("key", RULE)))
        clock.now += backoff.wait("key", RULE)
    return found


def test_the_first_tries_are_free_and_then_the_waits_grow_up_to_a_bound(clock: Clock) -> None:
    found = waits(Backoff(clock=clock), clock, 14)
    assert found[:5] == [0, 0, 1, 2, 4]
    assert found == sorted(found)
    assert 50 <= found[-1] <= 60


def test_a_wait_is_over_in_its_time_and_tries_are_forgiven(clock: Clock) -> None:
    backoff = Backoff(clock=clock)
    waits(backoff, clock, 8)
    assert backoff.wait("key", RULE) == 0
    clock.now += 10 * RULE.forgiven_s
    assert waits(backoff, clock, 4)[:3] == [0, 0, 1]


def test_keys_are_counted_apart(clock: Clock) -> None:
    backoff = Backoff(clock=clock)
    for _ in range(9):
        backoff.count("key", RULE)
    assert backoff.wait("other", RULE) == 0
    backoff.forget("key")
    assert backoff.wait("key", RULE) == 0


def test_the_age_of_a_try(clock: Clock) -> None:
    backoff = Backoff(clock=clock)
    assert backoff.age("key") > 1e9
    backoff.count("key", RULE)
    clock.now += 5
    assert backoff.age("key") == 5


def test_many_keys_take_no_more_than_their_places(clock: Clock) -> None:
    backoff = Backoff(2, clock)
    for key in ("a", "b", "a", "c"):
        backoff.count(key, RULE)
    assert [backoff.age(key) < 1 for key in "abc"] == [True, False, True]
