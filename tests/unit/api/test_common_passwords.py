"""What anybody would guess first."""

import pytest

from api.common_passwords import weakness_of

ADA = ("Ada", "Lovelace-King", "countess.ada_l@home.example")


@pytest.mark.parametrize("password", [" " * 10, "a" * 10, "abcabcabcabc", "1212121212"])
def test_a_few_characters_again_and_again_are_refused(password: str) -> None:
    assert "different characters" in (weakness_of(password, ADA) or "")


@pytest.mark.parametrize("password", ["0123456789", "12.05.1985", '!"§$%&/()=', "+43 1 234567"])
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
    ],
)
def test_common_words_with_little_else_are_refused(password: str) -> None:
    assert "easy to guess" in (weakness_of(password, ()) or "")


@pytest.mark.parametrize(
    "password", ["AdaLovelace", "lovelace1815", "l0velace!!!", "countess.ada_l@home.example", "King-of-home"]
)
def test_the_account_s_own_words_with_little_else_are_refused(password: str) -> None:
    assert "easy to guess" in (weakness_of(password, ADA) or "")
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
    ],
)
def test_what_says_something_of_its_own_is_taken(password: str) -> None:
    assert weakness_of(password, (*ADA, "Li")) is None
