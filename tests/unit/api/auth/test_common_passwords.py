"""What anybody would guess first."""

from unittest.mock import Mock

import pytest
from zxcvbn import matching

from api.auth.common_passwords import weakness_of

ADA = ("Ada", "Lovelace-King", "countess.ada_l@home.example")


@pytest.mark.parametrize("password", ["a" * 10, "abcabcabcabc", "x x x x x x", "a" * 200])
def test_a_few_characters_again_and_again_are_refused(password: str) -> None:
    assert "easy to guess" in (weakness_of(password, ADA) or "")


@pytest.mark.parametrize("password", [" " * 10, "1212121212", "0123456789", "12.05.1985", '!"§$%&/()=', "+43 1 234567"])
def test_digits_and_signs_alone_are_refused(password: str) -> None:
    assert "digits and signs" in (weakness_of(password, ADA) or "")


@pytest.mark.parametrize(
    "password",
    [
        "password12",
        "PassWord!!!",
        "1password1",
        "P@ssw0rd2024",
        "qwertyuiop",
        "abcdefghijkl",
        "HelloWorld1",
        "dragonmonkey",
        "1q2w3e4r5t",
        "cheesecake",
        "michael1987",
        "Passwort2024!",
        "contraseña1",
        "motdepasse1",
        "пароль2024",
        "p4ssw0rd" * 9,
    ],
)
def test_common_words_with_little_else_are_refused(password: str) -> None:
    assert "easy to guess" in (weakness_of(password, ()) or "")


@pytest.mark.parametrize(
    "password", ["AdaLovelace", "lovelace1815", "l0velace!!!", "countess.ada_l@home.example", "King-of-home"]
)
def test_the_account_s_own_words_with_little_else_are_refused(password: str) -> None:
    assert "easy to guess" in (weakness_of(password, ADA) or "")


@pytest.mark.parametrize("password", ["AdaLovelaceKing1", "King-of-home", "countess.ada_l@home.example"])
def test_nobody_else_s_words_are_refused(password: str) -> None:
    assert weakness_of(password, ADA)
    assert weakness_of(password, ("Eve", "Holt", "eve@holt.test")) is None


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "the first password",
        "secret8f41c07be2",
        "9823471a5620",
        "пароль на двоих",
        "Adagio in Lovely Lace",
        "xq Li 7 rv",
        "4@8({[</369&#!1/|0$5+7%2ab" * 7,
    ],
)
def test_what_says_something_of_its_own_is_taken(password: str) -> None:
    assert weakness_of(password, (*ADA, "Li")) is None


def test_a_password_of_lookalikes_is_looked_up_in_few_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may have passwords judged, which other requests of the process wait for."""
    lookup = Mock(wraps=matching.dictionary_match)
    monkeypatch.setattr(matching, "dictionary_match", lookup)
    weakness_of("65!54+$027$|@1%[9{(4{19e", ADA)
    assert 0 < lookup.call_count < 120


@pytest.mark.parametrize("password", ["Mu\u0308llerlein7", "ｍüllerlein７", "MÜLLERLEIN77", "müllerlein9"])
def test_own_words_are_known_in_whatever_form_they_are_typed(password: str) -> None:
    for name in ("Müllerlein", "Mu\u0308llerlein"):
        assert "own words" in (weakness_of(password, ("Ada", name)) or "")
