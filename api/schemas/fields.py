"""Types of fields, each validated by a library if there is one, with an error message as a sentence.

Money in JSON is an exact amount as a string, and an ISO 4217 currency, which determines the decimals.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Self

from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Resource
from tables.text.currencies import currency_decimals
from tables.text.email_addresses import normal_address
from tables.text.sanitize import is_visible
from tables.text.time_zones import zone_names

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PHONE: Final = r"^\+?[0-9][0-9 ()./-]{3,29}[0-9]$"


def absent() -> Any:
    """The default of a field that may be missing but not null."""
    return Field(default_factory=lambda: None)


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain the character NUL")
    return value


def _with_something_visible(value: str) -> str:
    if value and not is_visible(value):
        raise PydanticCustomError("nothing_visible", "must have a character that is visible")
    return value


def as_moment(value: Any) -> Any:
    """A time in RFC 3339. Raises ValueError."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        raise ValueError("must be an RFC 3339 time with an offset, like 2030-05-17T20:00:00+02:00")
    return value


def _in_our_time(value: datetime) -> datetime:
    """In UTC, since PostgreSQL stores no offsets."""
    if not 2000 <= value.year < 2200:
        raise ValueError("must lie between the years 2000 and 2199")
    return value.astimezone(UTC)


def as_day(value: Any) -> Any:
    """A date in ISO 8601. Raises ValueError."""
    if not isinstance(value, date) and not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("must be a date like 1985-04-12")
    return value


def _born_later_than_1900(value: date) -> date:
    if value.year < 1900:
        raise ValueError("must not lie before 1900")
    return value


def _zone(value: str) -> str:
    if value not in zone_names():
        raise ValueError("must be an IANA time zone, like Europe/Berlin")
    return value


def _currency(value: str) -> str:
    if currency_decimals(value) is None:
        raise ValueError("must be a currency of ISO 4217, like EUR")
    return value


def _country(value: str) -> str:
    if value not in _countries():
        raise ValueError("must be a country's ISO 3166 code of two capital letters")
    return value


def _locale(value: str) -> str:
    try:
        return str(Locale.parse(value, sep="-")).replace("_", "-")
    except (ValueError, UnknownLocaleError) as error:
        raise ValueError("must be a language tag, like de or pt-BR") from error


def _whole(value: Any) -> Any:
    """A number without a fraction as an integer: in JSON Schema, 1.0 is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_typed(value: str) -> str:
    """An address as it was typed: an account's may be older than the present normalization."""
    normal_address(value)
    return value


@cache
def _countries() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_NO_NUL: Final = AfterValidator(_without_nul)
_VISIBLE: Final = AfterValidator(_with_something_visible)


def _text(least: int, most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


FirstName = Annotated[str, _text(1, 100), _NO_NUL, _VISIBLE]
LastName = Annotated[str, _text(0, 100), _NO_NUL, _VISIBLE]
Title = Annotated[str, _text(1, 200), _NO_NUL, _VISIBLE]
Reason = Annotated[str, _text(1, 200), _NO_NUL, _VISIBLE]
VenueText = Annotated[str, _text(0, 200), _NO_NUL, _VISIBLE]
City = Annotated[str, _text(0, 100), _NO_NUL, _VISIBLE]
Prose = Annotated[str, _text(0, 20_000), _NO_NUL]
Words = Annotated[str, _text(0, 200), _NO_NUL]
Tag = Annotated[str, _text(1, 50), _NO_NUL, _VISIBLE]
Tags = Annotated[list[Tag], Field(max_length=20)]
SomePassword = Annotated[str, StringConstraints(max_length=200), _NO_NUL]
NewPassword = Annotated[str, StringConstraints(min_length=10, max_length=200), _NO_NUL]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=_PHONE)]
SomeEmail = Annotated[str, _text(0, 254), _NO_NUL]
TypedEmail = Annotated[str, _text(3, 254), _NO_NUL, AfterValidator(_as_typed)]
Email = Annotated[str, _text(3, 254), _NO_NUL, AfterValidator(normal_address)]
LanguageTag = Annotated[
    str,
    _text(2, 35),
    _NO_NUL,
    AfterValidator(_locale),
    Field(description="the language of its mails and pages (BCP 47)"),
]
Country = Annotated[str, AfterValidator(_country)]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$")]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$"), AfterValidator(_currency)]
Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
Moment = Annotated[AwareDatetime, BeforeValidator(as_moment), AfterValidator(_in_our_time)]
Birthday = Annotated[date, BeforeValidator(as_day), AfterValidator(_born_later_than_1900)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
POSITION_MAX: Final = 10_000
WHOLE: Final = BeforeValidator(_whole)
StockQuantity = Annotated[int, Field(strict=True, ge=0, le=10_000_000), WHOLE]
Limit = Annotated[int, Field(strict=True, ge=1, le=10_000_000), WHOLE]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000), WHOLE]
Position = Annotated[int, Field(strict=True, ge=0, le=POSITION_MAX), WHOLE]


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

    amount: Amount = Field(examples=["49.90"])
    currency: CurrencyCode = Field(examples=["EUR"])

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
