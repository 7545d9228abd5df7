"""Payments: their state as it is shown."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Body, Resource
from api.schemas.fields import Money, Price, Reason
from api.schemas.purchase import NewLine, SeatNames


class PurchasePayment(Resource):
    """The payment of a purchase. ``url`` is the provider's page, where the buyer pays."""

    state: str = Field(examples=["authorizing"])
    due: Money
    captured: Money
    refunded: Money
    provider: str | None = None
    url: str | None = None
    deadline: datetime | None = None
    detail: str | None = Field(None, description="the provider's reason")
    disputed: bool = False
    at: datetime


def _more_than_nothing(price: Price) -> Price:
    if not price.exact:
        raise PydanticCustomError("no_amount", "must be more than 0")
    return price


class NewRefund(Body):
    """An ``amount`` for tickets that are kept, or the ``lines`` and ``seats`` of the tickets to give back."""

    amount: Annotated[Price, AfterValidator(_more_than_nothing)] | None = None
    lines: list[NewLine] = Field(default_factory=list, max_length=50)
    seats: SeatNames = ()
    reason: Reason

    @model_validator(mode="after")
    def _amount_or_lines(self) -> Self:
        if (self.amount is None) is not bool(self.lines or self.seats):
            raise PydanticCustomError("amount_or_lines", "either amount, or lines or seats must be given")
        return self


class Refund(Resource):
    """A refund that was ordered. Its amount is known once it is ``accepted``."""

    id: UUID
    status: str = Field(examples=["accepted"], description="`ordered`, `accepted` or `refused`")
    refusal: str | None = Field(
        None, examples=["nothing-to-cancel"], description="the problem for which it was refused"
    )
    amount: Money
    goodwill: bool | None = Field(None, description="whether the tickets are kept; not known of older orders")
    reason: str
    by: UUID = Field(description="the account that ordered it")
    at: datetime


class RefundList(Resource):
    """The refunds of a purchase that were ordered, the oldest first, and what else can be refunded."""

    refundable: Money
    captured: Money
    refunded: Money
    items: list[Refund]


class PaidPurchase(Resource):
    """A purchase that is paid online, for the organizer. Without ``state`` no provider has to do with it yet."""

    id: str = Field(description="`{eventId}.{purchase}`")
    buyer: str
    status: str
    state: str | None = None
    worth: Money
    captured: Money
    refunded: Money
    disputed: bool
    made_at: datetime


class CurrencyTotals(Resource):
    """The money of the payments in one currency in which something happened within the last seven days."""

    authorized: Money
    captured: Money
    refunded: Money
    goodwill: Money
    fees: Money


class UnfinishedPayment(Resource):
    """A payment that waits for the ledger or its provider, ``since`` it is in its state."""

    id: str = Field(description="`{eventId}.{purchase}`")
    state: str
    provider: str
    reference: str
    amount: Money
    detail: str | None = None
    since: datetime


class PaymentOverview(Resource):
    """For operators: the money by currency, how many payments wait in which state, and the oldest of them."""

    money: list[CurrencyTotals]
    waiting: dict[str, int]
    oldest: list[UnfinishedPayment]


class TakenWebhook(Resource):
    """How many events of a webhook are in the log."""

    events: int


class ProviderPath(Resource):
    """Which provider."""

    provider: str
