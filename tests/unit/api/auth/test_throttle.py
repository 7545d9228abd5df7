"""Guessing is slowed down, and slows nobody else down."""

import pytest

from api.auth.backoff import Backoff
from api.auth.clients import Asker
from api.auth.throttle import KnownClients, Throttle, guess_rules, mail_rules
from api.problems import Refused
from tests.unit.api.auth.test_backoff import Clock

ADA = "ada@lovelace.example"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(guess_rules(3), Backoff(clock=clock))


def wait(throttle: Throttle, asker: Asker) -> int:
    """The seconds that somebody is told to wait."""
    try:
        throttle.check(asker)
    except Refused as refused:
        return int(refused.headers["Retry-After"])
    return 0


def guess(throttle: Throttle, asker: Asker, tries: int) -> int:
    """How many of so many tries at once are let through."""
    through = 0
    for _ in range(tries):
        if wait(throttle, asker) == 0:
            throttle.count(asker)
            through += 1
    return through


def test_a_client_that_guesses_waits_and_another_one_does_not(throttle: Throttle) -> None:
    assert guess(throttle, Asker(ADA, "192.0.2.1"), 50) == 3
    assert wait(throttle, Asker(ADA, "192.0.2.1")) == 1
    assert wait(throttle, Asker(ADA, "192.0.2.2")) == 0
    assert wait(throttle, Asker("eve@thief.example", "192.0.2.1")) == 0


def test_the_numbers_are_those_of_the_documentation() -> None:
    guesses, mails = guess_rules(3), mail_rules(3)
    assert [rule.free for rule in guesses] == [3, 90, 900, 60]
    assert [rule.free for rule in mails] == [3, 9, 45, 600]
    assert [rule.wait_max_s for rule in (*guesses, *mails)] == [60, 60, 60, 1, 600, 600, 600, 1]
    assert [rule.forgiven_s for rule in (*guesses, *mails)] == [60, 36, 36, 1, 600, 360, 360, 0.2]


def test_guessing_one_account_from_many_addresses_is_bounded_and_its_owner_gets_in_meanwhile(
    throttle: Throttle, clock: Clock
) -> None:
    through = 0
    for _ in range(1_200):
        through += sum(guess(throttle, Asker(ADA, f"client {number}"), 1) for number in range(45))
        clock.now += 1
    assert through < 200
    assert wait(throttle, Asker(ADA, "hers")) == 0


def test_from_a_known_client_the_owner_gets_in_whoever_guesses(throttle: Throttle) -> None:
    assert guess(throttle, Asker(ADA, "new ones"), 3) == 3
    for number in range(1_100):
        guess(throttle, Asker(ADA, f"client {number}"), 1)
    assert wait(throttle, Asker(ADA, "hers")) > 0
    assert wait(throttle, Asker(ADA, "hers", is_known=True)) == 0
    assert wait(throttle, Asker(ADA, "hers", is_shown=True)) == 0


def test_who_is_known_or_shown_waits_for_the_own_guesses(throttle: Throttle) -> None:
    assert guess(throttle, Asker(ADA, "hers", is_known=True), 50) == 3
    for number in range(30):
        assert guess(throttle, Asker(ADA, f"device {number}", is_shown=True), 50) == 3
    assert guess(throttle, Asker(ADA, "another", is_known=True), 50) == 3  # whom these don't slow down


def test_that_a_client_is_known_cannot_be_found_out_by_guessing_there(throttle: Throttle) -> None:
    """Neither with a client that has tried too much, nor for an account at which others guess."""
    for number in range(60):
        guess(throttle, Asker(f"{number}@buyer.example", "office"), 1)
    for number in range(45):
        guess(throttle, Asker(ADA, f"client {number}"), 3)
    for client in ("office", "elsewhere"):
        waits = [wait(throttle, Asker(ADA, client, is_known=known)) for known in (False, True)]
        assert waits[0] == waits[1]
        throttle.count(Asker(ADA, client))
        waits = [wait(throttle, Asker(ADA, client, is_known=known)) for known in (False, True)]
        assert waits[0] == waits[1] > 0


def test_one_client_that_tries_many_accounts_is_slowed_down_but_not_who_shows_a_cookie(throttle: Throttle) -> None:
    through = sum(guess(throttle, Asker(f"{number}@buyer.example", "campus"), 1) for number in range(300))
    assert through == 60
    assert wait(throttle, Asker("new@buyer.example", "campus")) == 1
    assert wait(throttle, Asker(ADA, "device", is_shown=True)) == 0
    assert wait(throttle, Asker(ADA, "elsewhere")) == 0


def test_a_crowd_behind_one_address_may_mistype_its_passwords(throttle: Throttle, clock: Clock) -> None:
    for number in range(600):
        assert guess(throttle, Asker(f"{number}@buyer.example", "campus"), 1) == 1
        clock.now += 1


def test_what_failed_before_the_right_password_counts_no_more(throttle: Throttle) -> None:
    asker = Asker(ADA, "hers")
    guess(throttle, asker, 3)
    throttle.forget(asker)
    assert guess(throttle, asker, 50) == 3


def test_a_client_is_known_for_the_account_that_signed_in_there_alone() -> None:
    known = KnownClients()
    known.remember(Asker(ADA, "hers"))
    assert known.has(ADA, "hers")
    assert not known.has("eve@thief.example", "hers")
    assert not known.has(ADA, "elsewhere")
