"""Numbers as the reader's language writes them, shown and typed: one rule for all pages."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.numbers import NumberFormatError, format_decimal, parse_decimal

LOCALE: Final = "en_GB"
# What is no number in the reader's language may be one in the others: ``49,90`` in English. A number that both can
# read, like ``1,700``, is the reader's.
_LOCALES: Final = (LOCALE, "de", "fr")
_TYPED: Final = re.compile(r"[0-9][0-9.,\u00a0\u202f]{0,39}", re.ASCII)


@lru_cache(maxsize=10_000)
def shown_number(value: int | Decimal) -> str:
    """A number with separators: ``1,700``."""
    return format_decimal(value, locale=LOCALE)


def typed_number(text: str) -> Decimal | None:
    """The number that was typed; None if it is none, or negative."""
    # French separates by a narrow space that keyboards lack.
    typed = text.strip().replace(" ", "\u202f")
    if not _TYPED.fullmatch(typed):
        return None
    for locale in _LOCALES:
        try:
            return parse_decimal(typed, locale=locale, strict=True)
        except NumberFormatError:
            continue
    return None
