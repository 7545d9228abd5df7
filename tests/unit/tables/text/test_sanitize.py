"""Sanitizing of text from users."""

import pytest

from tables.text.sanitize import sanitize, sanitize_list


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
