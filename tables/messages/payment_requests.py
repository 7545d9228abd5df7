"""The requests on ``payment-requests``: what a provider is to do. The id is the provider's idempotency key.

A request may occur more than once; a provider carries it out once.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from tables.errors import MalformedRecord
from tables.ids import name_based_id
from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Amount, Time, is_amount

REFERENCE_MAX_CHARS: Final = 64
AMOUNT_END: Final = Decimal(10) ** 18
FIRST_YEAR: Final = 1971
YEAR_END: Final = 9999
ProviderName = Annotated[str, Meta(pattern=r"^[a-z]{1,32}\Z")]
Reference = Annotated[str, Meta(max_length=REFERENCE_MAX_CHARS, pattern=r"^[^\x00]*\Z")]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]


class PaymentRequestKind(StrEnum):
    """What is to be done with a payment. AUTHORIZE also makes it, with a page where the buyer pays."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class PaymentRequest(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One request. ``amount`` is exact, in ``currency``; a void's is 0.

    ``reference`` is the provider's name of the payment, empty if it was not told yet. After ``deadline`` nothing is
    authorized any more.
    """

    id: UUID
    kind: PaymentRequestKind
    event: UUID
    purchase: UUID
    account: UUID
    provider: ProviderName
    amount: Amount
    currency: CurrencyCode
    reference: Reference = ""
    deadline: Time | None = None


def payment_request_id(purchase: UUID, offset: int, kind: str) -> UUID:
    """The id of the request that the payment event at ``offset`` led to."""
    return name_based_id(purchase, f"{offset} {kind}")


def confirm_request(purchase: UUID) -> UUID:
    """The request of the command that confirms a purchase whose payment is authorized."""
    return name_based_id(purchase, "payment confirm")


def cancel_request(purchase: UUID) -> UUID:
    """The request of the command that cancels a purchase whose payment can't be captured."""
    return name_based_id(purchase, "payment failed")


_decode: Final = json_decoder(PaymentRequest)
encode_payment_request: Final[Callable[[PaymentRequest], bytes]] = encode_json


def decode_payment_request(value: bytes | None) -> PaymentRequest:
    """Decode a record's value. Raises MalformedRecord, also for an amount or a time that nobody can calculate with."""
    request = _decode(value)
    check_amount(request.amount)
    check_time("deadline", request.deadline)
    return request


def check_amount(amount: Decimal) -> None:
    """Raise MalformedRecord unless the amount is finite, not negative, below 10^18 and has at most 4 decimals."""
    if not is_amount(amount, AMOUNT_END):
        raise MalformedRecord("the amount is out of range or has too many decimals - at `$.amount`")


def check_time(name: str, time: datetime | None) -> None:
    """Raise MalformedRecord for a time without a UTC offset, or one that can't be stored in every zone."""
    if time is not None and (time.tzinfo is None or not FIRST_YEAR <= time.year < YEAR_END):
        raise MalformedRecord(f"the time has no UTC offset or is out of range - at `$.{name}`")
