"""Sanitizing of text from users."""

import pytest

from tables.text.sanitize import is_visible, sanitize, sanitize_list


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Mañana 東京 عرض", "Mañana 東京 عرض"),
        ("Night\r\nBcc: all@buyer.example", "Night  Bcc: all@buyer.example"),
        ("a\tb\x00c\x7fd\x85e\u2028f", "a b c d e f"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("\u2066left\u2069 \u200fright\u061c", "left right"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("  \u202e ", ""),
    ],
    ids=["letters", "lines", "controls", "override", "isolates", "joined", "nothing"],
)
def test_only_what_is_seen_in_its_place_stays(typed: str, shown: str) -> None:
    assert sanitize(typed) == shown


def test_what_nothing_is_left_of_has_no_place_in_a_list() -> None:
    assert sanitize_list("Konzert\nhaus", "\u202e", "", "Wien") == "Konzert haus, Wien"
    assert sanitize_list("\r\n", "\u202e") == ""


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\u200b\u2060\ufeff", "\u3164", "\u2800\u00a0", "\u0301", "\u202e\x07"]
)
def test_nothing_is_seen_of_blanks_and_marks(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "…", "🎭", "東京", "\u200bx", "!!!", "¡", "\ue000", "1"])
def test_any_other_character_is_seen(text: str) -> None:
    assert is_visible(text)
