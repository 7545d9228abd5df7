"""Folding for search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.text.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Große Freiheit", "grosse freiheit"),
        ("GROẞ", "gross"),
        ("Łódź", "lodz"),
        ("Ærøskøbing", "aeroskobing"),
        ("Cœur à cœur", "coeur a coeur"),
        ("İstanbul", "istanbul"),
        ("¿Dónde está?", "¿donde esta?"),
        ("ＪＡＺＺ", "jazz"),
        ("L’Usine", "l usine"),
        ("مُحَمَّد", "محمد"),
    ],
)
def test_case_accents_and_width_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["がっこう", "한국", "ดนตรี", "संगीत"])
def test_marks_that_make_another_letter_stay(text: str) -> None:
    assert fold(text) == text


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
