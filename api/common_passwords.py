"""Which passwords anybody would guess first, by rules and a short list; the length is the field's own rule.

A password is guessed by known words with digits and signs about them: the most common ones, rows of keys, and the
account's own words. What is left without these has to say something. A long list of stolen passwords would be one more
question in ``weakness_of``.
"""

import re
from collections.abc import Iterable
from typing import Final

# Fewer are ten spaces, or one word of a few characters again and again.
DISTINCT_MIN_CHARACTERS: Final = 5
LEFT_MIN_LETTERS: Final = 4
WORD_MIN_CHARACTERS: Final = 3
# The stems of the most common passwords in every list of stolen ones, rows of keys, and this service's own words.
COMMON_WORDS: Final = (
    *("abcdefghij", "abcdefgh", "abcdef", "qwertyuiop", "qwerty", "qwertzuiop", "qwertz", "azertyuiop", "azerty"),
    *(
        "asdfghjkl",
        "asdfgh",
        "yxcvbnm",
        "zxcvbnm",
        "qazwsx",
        "iloveyou",
        "password",
        "passwort",
        "motdepasse",
        "kennwort",
    ),
    *("letmein", "welcome", "willkommen", "bonjour", "admin", "administrator", "login", "master", "secret"),
    *("geheim", "dragon", "monkey", "sunshine", "princess", "football", "baseball", "superman", "batman", "pokemon"),
    *("michael", "jordan", "liverpool", "charlie", "shadow", "trustno", "whatever", "starwars", "computer", "internet"),
    *("changeme", "default", "hallo", "hello", "world", "summer", "sommer", "winter", "spring", "autumn", "schatz"),
    *("turnstile", "tickets", "ticket", "concert", "konzert"),
)
_LOOKALIKES: Final = str.maketrans("01345@$!", "oieasasi")


def weakness_of(password: str, own_words: Iterable[str]) -> str | None:
    """What makes the password easy to guess, as the end of a sentence that begins with its field; None if nothing."""
    if len(set(password)) < DISTINCT_MIN_CHARACTERS:
        return f"must have {DISTINCT_MIN_CHARACTERS} different characters at least"
    if not any(map(str.isalpha, password)):
        return "must not be of digits and signs alone"
    own = {word for text in own_words for word in re.findall(r"[^\W_]+", text.casefold())}
    if any(_is_made_of(text, {*COMMON_WORDS, *own}) for text in _readings(password.casefold())):
        return "is easy to guess: a common word, or one of the account's own, with little else"
    return None


def _readings(password: str) -> tuple[str, str]:
    """As it is written, and with the letters that digits and signs within it stand for."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    return password, core.translate(_LOOKALIKES)


def _is_made_of(text: str, words: set[str]) -> bool:
    known = sorted((word for word in words if len(word) >= WORD_MIN_CHARACTERS), key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, known)), "", text)
    return left != text and sum(map(str.isalpha, left)) < LEFT_MIN_LETTERS
