"""Amounts as providers count them: whole minor units of the currency (cents), exactly."""

from decimal import Decimal

from tables.errors import MalformedRecord
from tables.text.currencies import currency_decimals


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in minor units. Raises MalformedRecord for no currency, and for more decimals than it has."""
    scaled = amount.scaleb(_decimals(currency))
    if scaled != scaled.to_integral_value():
        raise MalformedRecord(f"amounts in {currency} have fewer decimals - at `$.amount`")
    return int(scaled)


def from_minor(amount: int, currency: str) -> Decimal:
    """The amount of so many minor units, with the currency's own decimals. Raises MalformedRecord for no currency."""
    return Decimal(amount).scaleb(-_decimals(currency))


def _decimals(currency: str) -> int:
    found = currency_decimals(currency)
    if found is None:
        raise MalformedRecord("it must be a currency of ISO 4217 that amounts can be in - at `$.currency`")
    return found
