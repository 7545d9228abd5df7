"""Amounts as providers count them: whole minor units of the currency (cents), exactly."""

from decimal import Decimal

from tables.errors import MalformedRecord
from tables.text.currencies import currency_decimals


def to_minor(amount: Decimal, currency: str, decimals: int | None = None) -> int:
    """An amount in minor units, with ``decimals`` where a provider counts otherwise than ISO 4217.

    Raises MalformedRecord for no currency, and for more decimals.
    """
    scaled = amount.scaleb(_decimals(currency) if decimals is None else decimals)
    if scaled != scaled.to_integral_value():
        raise MalformedRecord(f"amounts in {currency} have fewer decimals - at `$.amount`")
    return int(scaled)


def from_minor(amount: int, currency: str, decimals: int | None = None) -> Decimal:
    """The amount of so many minor units; ``decimals`` as above. Raises MalformedRecord for no currency."""
    return Decimal(amount).scaleb(-(_decimals(currency) if decimals is None else decimals))


def _decimals(currency: str) -> int:
    found = currency_decimals(currency)
    if found is None:
        raise MalformedRecord("it must be a currency of ISO 4217 that amounts can be in - at `$.currency`")
    return found
