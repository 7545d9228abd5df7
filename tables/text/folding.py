"""Folding of text for search: words that differ only in case, accents or width become equal.

Index and query must use the same folding and the same words; ``fold(fold(text)) == fold(text)``. Marks that change the
letter (Japanese voicing, the vowels of Indic scripts and Thai) stay.
"""

import re
from typing import Final
from unicodedata import normalize

_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "ħ": "h",
        "ı": "i",
        "ŋ": "n",
        "ŧ": "t",
        "ـ": None,
        # An apostrophe separates words: l'usine, dell'arte.
        "'": " ",
        "’": " ",
        "ʼ": " ",
    }
)


_WORD: Final = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The folded words of a text: runs of letters and digits. ``Node.js`` has two."""
    return _WORD.findall(fold(text))


def fold(text: str) -> str:
    """The text in lower case, without accents, in compatibility form."""
    plain = _MARKS.sub("", normalize("NFKD", text.casefold()))
    folded = normalize("NFKC", plain.casefold().translate(_LETTERS))
    return folded if folded == text else fold(folded)
