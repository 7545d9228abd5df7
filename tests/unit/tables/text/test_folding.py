"""Folding for search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.text.folding import fold, words


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Node.js", ["node", "js"]),
        ("snake_case", ["snake", "case"]),
        ("J.Lo & l'Usine", ["j", "lo", "l", "usine"]),
        ("!!! * …", []),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, found: list[str]) -> None:
    assert words(text) == found
    assert words(" ".join(found)) == found
