"""Which passwords are guessed first, by zxcvbn and its lists; the length is the field's own rule.

zxcvbn estimates how many guesses a password takes that is made of common passwords, words, names, dates, rows of keys
and repetitions, also with digits for letters. Its lists are English, and it makes much of every further word; so
what is left of a password without the account's own words, and without common ones of other languages, has to say
something.
"""

import re
from collections.abc import Iterable
from typing import Final
from unicodedata import normalize

from zxcvbn import zxcvbn

# 10^8 guesses, in zxcvbn's scale of 0 to 4.
SCORE_MIN: Final = 3
# Its time grows with the square of the length and the number of signs that may stand for letters: 0.2 s at worst.
JUDGED_MAX_CHARACTERS: Final = 24
LEFT_MIN_LETTERS: Final = 4
WORD_MIN_CHARACTERS: Final = 3
_LOCAL_WORDS: Final = (
    *("passwort", "kennwort", "geheim", "hallo", "welt", "willkommen", "schatz", "sommer", "winter", "herbst"),
    *("motdepasse", "bonjour", "soleil", "contraseña", "contrasena", "hola", "hasło", "haslo", "пароль", "привет"),
    *("turnstile", "tickets", "ticket", "konzert", "concert", "festival"),
)
_LOOKALIKES: Final = str.maketrans("01345@$!", "oieasasi")


def weakness_of(password: str, own_words: Iterable[str]) -> str | None:
    """What makes the password easy to guess, as the end of a sentence that begins with its field; None if nothing."""
    if not any(map(str.isalpha, password)):
        return "must not be of digits and signs alone"
    own = {word for text in own_words for word in re.findall(r"[^\W_]+", _folded(text))}
    if _is_common(password) or any(_is_made_of(it, {*own, *_LOCAL_WORDS}) for it in _readings(_folded(password))):
        return "is easy to guess: common words or rows of keys, or the account's own words, with little else"
    return None


def _folded(text: str) -> str:
    """In lower case, and each letter in one form, however it was typed."""
    return normalize("NFKC", text).casefold()


def _is_common(password: str) -> bool:
    return bool(zxcvbn(password[:JUDGED_MAX_CHARACTERS], _LOCAL_WORDS)["score"] < SCORE_MIN)


def _readings(password: str) -> tuple[str, str]:
    """As it is written, and with the letters that digits and signs within it stand for."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    return password, core.translate(_LOOKALIKES)


def _is_made_of(text: str, words: set[str]) -> bool:
    known = sorted((word for word in words if len(word) >= WORD_MIN_CHARACTERS), key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, known)), "", text)
    return left != text and sum(map(str.isalpha, left)) < LEFT_MIN_LETTERS
