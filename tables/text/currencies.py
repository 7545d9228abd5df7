"""The decimals of currencies, by ISO 4217."""

from functools import cache

from iso4217 import Currency


@cache
def currency_decimals(currency: str) -> int | None:
    """The decimals of amounts in ``currency``; None for what is no money (gold, test codes, unknown codes)."""
    try:
        exponent: int | None = Currency(currency).exponent
    except ValueError:
        return None
    return exponent
