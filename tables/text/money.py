"""Amounts of money as people read them, on pages and in mails."""

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final

from babel import Locale
from babel.numbers import NumberPattern, get_currency_precision, parse_pattern

# A currency without a symbol is written as its code, separated from the amount by a space.
_CODE: Final = re.compile(r"^-?[A-Z]{3}(?=[0-9])")


def shown_amount(amount: Decimal, currency: str, locale: Locale) -> str:
    """An amount with all the decimals that it has, and at least those that are usual for its currency.

    CLDR's own rule would round: it knows no decimals of RSD or ISK, which prices may have.
    """
    return _shown(amount, -int(amount.as_tuple().exponent), currency, locale)


# 150 and 150.00 are equal, but not shown alike.
@lru_cache(maxsize=10_000)
def _shown(amount: Decimal, decimals: int, currency: str, locale: Locale) -> str:
    pattern = _pattern(locale, max(decimals, get_currency_precision(currency)))
    return _CODE.sub("\\g<0>\u00a0", pattern.apply(amount, locale, currency=currency, currency_digits=False))


@cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern
