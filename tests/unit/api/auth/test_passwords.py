"""Hashing and comparing."""

from typing import Any

from argon2 import PasswordHasher

from api.auth.passwords import Hasher
from tests.unit.api.fakes.accounts import CHEAP


def test_an_unknown_address_costs_a_comparison_too() -> None:
    compared = []

    class Argon(PasswordHasher):
        def verify(self, *known: Any) -> Any:
            compared.append(known[0])
            return super().verify(*known)

    hasher = Hasher(Argon(time_cost=1, memory_cost=8, parallelism=1))
    assert not hasher.fits(None, "nobody's password")
    [hash_of_nobody] = compared
    assert hash_of_nobody.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_a_password_fits_its_own_hash_alone() -> None:
    hasher = Hasher(CHEAP)
    assert hasher.fits(hasher.hash("mine"), "mine")
    assert not hasher.fits(hasher.hash("mine"), "yours")


def test_what_is_no_hash_fits_no_password() -> None:
    assert not Hasher(CHEAP).fits("plain text", "plain text")
