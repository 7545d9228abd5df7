"""Sanitizing of text from users: one line, without control characters and without bidi characters."""

import unicodedata
from typing import Final

# Characters that change the direction of the following text (Unicode's Bidi_Control).
BIDI_CONTROLS: Final = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# They join letters and emoji and are harmless.
JOINERS: Final = "\u200c\u200d"

# Letters, numbers, punctuation, symbols; and private characters, which some fonts have.
_DRAWN_CATEGORIES: Final = ("L", "N", "P", "S", "Co")
# Letters and a symbol that are drawn as nothing: the fillers of Hangul, and Braille without a dot.
_BLANKS: Final = "\u115f\u1160\u3164\uffa0\u2800"


def is_visible(text: str) -> bool:
    """Whether a reader sees anything of the text."""
    return any(letter not in _BLANKS and unicodedata.category(letter).startswith(_DRAWN_CATEGORIES) for letter in text)


def sanitize(text: str) -> str:
    """The text on one line, without control and bidi characters."""
    turned = text.translate(BIDI_CONTROLS)
    return "".join(letter if letter.isprintable() or letter in JOINERS else " " for letter in turned).strip()


def sanitize_list(*texts: str) -> str:
    """The sanitized texts that are not empty, separated by commas."""
    return ", ".join(filter(None, map(sanitize, texts)))
