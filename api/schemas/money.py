"""Money in JSON: an exact amount as a string, and an ISO 4217 currency, which determines the decimals."""

from decimal import Decimal
from functools import cache
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Resource
from tables.text.currencies import currency_decimals


def exact(amount: Decimal, currency: str) -> Decimal:
    """The amount with the decimals of its currency. Raises ValueError for infinity and NaN."""
    if not amount.is_finite():
        raise ValueError("an amount is finite")
    return amount.quantize(_unit(currency))


@cache
def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-(currency_decimals(currency) or 0))


class Price(Body):
    """The price of a ticket; may be 0."""

    amount: str = Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$", examples=["49.90"])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])

    @field_validator("currency")
    @classmethod
    def _known(cls, value: str) -> str:
        if currency_decimals(value) is None:
            raise ValueError("must be a currency of ISO 4217, like EUR")
        return value

    @model_validator(mode="after")
    def _no_more_decimals_than_the_currency_has(self) -> Self:
        most = currency_decimals(self.currency)
        if most is not None and -int(Decimal(self.amount).as_tuple().exponent) > most:
            said = "amounts in {currency} have at most {most} decimals"
            raise PydanticCustomError("too_many_decimals", said, {"currency": self.currency, "most": most})
        return self

    @property
    def exact(self) -> Decimal:
        """The amount, ready to store."""
        return exact(Decimal(self.amount), self.currency)


class Money(Resource):
    """An exact amount."""

    amount: str = Field(examples=["49.90"])
    currency: str = Field(examples=["EUR"])

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Self:
        """The amount with the decimals of its currency."""
        return cls(amount=str(exact(amount, currency)), currency=currency)

    @property
    def exact(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)
