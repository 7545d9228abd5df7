"""Payments: their state as it is shown."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Resource
from api.schemas.money import Money


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
    at: datetime


class TakenWebhook(Resource):
    """How many events of a webhook are in the log."""

    events: int


class ProviderPath(Resource):
    """Which provider."""

    provider: str
