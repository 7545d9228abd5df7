"""Amounts as providers count them: whole minor units of the currency (cents), exactly."""

from decimal import Decimal
from functools import cache

from iso4217 import Currency

from tables.errors import MalformedRecord


@cache
def currency_decimals(currency: str) -> int:
    """The decimals of a currency of ISO 4217. Raises MalformedRecord for what is no money."""
    try:
        exponent = Currency(currency).exponent
    except ValueError as error:
        raise MalformedRecord("it is no currency of ISO 4217 - at `$.currency`") from error
    if exponent is None:
        raise MalformedRecord("it is a currency without amounts - at `$.currency`")
    return int(exponent)


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in minor units. Raises MalformedRecord where it has more decimals than the currency."""
    scaled = amount.scaleb(currency_decimals(currency))
    if scaled != scaled.to_integral_value():
        raise MalformedRecord(f"amounts in {currency} have fewer decimals - at `$.amount`")
    return int(scaled)


def from_minor(amount: int, currency: str) -> Decimal:
    """The amount of so many minor units, with the currency's own decimals."""
    return Decimal(amount).scaleb(-currency_decimals(currency))
