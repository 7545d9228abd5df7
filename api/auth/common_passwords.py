"""Rejects passwords that are easy to guess, by zxcvbn; the minimum length is the field's own rule.

zxcvbn estimates the guesses for a password made of common passwords, words, names, dates, keyboard patterns and
repetitions, also with digits for letters. Its lists are English, and each further word raises its estimate. So a
password is also rejected if little is left of it without the account's own words and common words of other languages.
"""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Final
from unicodedata import normalize

from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

# 10^8 guesses, on zxcvbn's scale of 0 to 4.
SCORE_MIN: Final = 3
# zxcvbn's time grows with the length and with the number of different lookalikes: about 30 ms for these at worst.
JUDGED_MAX_CHARACTERS: Final = 24
LOOKALIKES_MAX: Final = 10
JUDGED_MAX_CHARACTERS_BEYOND: Final = 16
LEFT_MIN_LETTERS: Final = 4
WORD_MIN_CHARACTERS: Final = 3
_LOCAL_WORDS: Final = (
    *("passwort", "kennwort", "geheim", "hallo", "welt", "willkommen", "schatz", "sommer", "winter", "herbst"),
    *("motdepasse", "bonjour", "soleil", "contraseña", "contrasena", "hola", "hasło", "haslo", "пароль", "привет"),
    *("turnstile", "tickets", "ticket", "konzert", "concert", "festival"),
)
_SIGNS: Final = frozenset(chain.from_iterable(L33T_TABLE.values()))
_LOOKALIKES: Final = str.maketrans("01345@$!", "oieasasi")


def weakness_of(password: str, own_words: Iterable[str]) -> str | None:
    """Why the password is easy to guess, as a predicate for its field; None if it is not."""
    if not any(map(str.isalpha, password)):
        return "must not be of digits and signs alone"
    own = {word for text in own_words for word in re.findall(r"[^\W_]+", _folded(text))}
    if _is_common(password) or any(_is_made_of(it, {*own, *_LOCAL_WORDS}) for it in _readings(_folded(password))):
        return "is easy to guess: common words or rows of keys, or the account's own words, with little else"
    return None


def _folded(text: str) -> str:
    """In lower case and normalized (NFKC)."""
    return normalize("NFKC", text).casefold()


def _is_common(password: str) -> bool:
    judged = password[:JUDGED_MAX_CHARACTERS]
    if len(_SIGNS.intersection(judged)) > LOOKALIKES_MAX:
        judged = judged[:JUDGED_MAX_CHARACTERS_BEYOND]
    return bool(zxcvbn(judged, _LOCAL_WORDS)["score"] < SCORE_MIN)


def _readings(password: str) -> tuple[str, str]:
    """The password as it is, and with letters for the lookalikes within it."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    return password, core.translate(_LOOKALIKES)


def _is_made_of(text: str, words: set[str]) -> bool:
    known = sorted((word for word in words if len(word) >= WORD_MIN_CHARACTERS), key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, known)), "", text)
    return left != text and sum(map(str.isalpha, left)) < LEFT_MIN_LETTERS
