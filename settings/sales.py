"""Settings of what is sold: who else may sell, payments, and the limits on holds."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from settings.types import Key, Producers, Url, producer_quotas, split


class SaleSettings(BaseModel):
    """Other producers, payments, ticket codes and holds."""

    producers: Producers = Field(
        "partner=1000,kiosk=1000",
        description="other producers, each with the requests per second that it may write to a partition of "
        "`ticket-requests.<name>`: name=number, separated by commas",
    )
    producers_with_payments: str = Field(
        "",
        description="those of the other producers that take the money themselves and may confirm with a payment, "
        "separated by commas",
    )
    paper_url: Url = Field(
        "http://127.0.0.1:18090", description="address of Paper, the provider of payments to try with"
    )
    paper_key: Key | None = Field(
        None, description="key shared with Paper, at least 32 random characters; without it nothing is paid there"
    )
    stripe_page_key: str = Field("", description="Stripe's publishable key, which browsers get")
    stripe_webhook_key: SecretStr | None = Field(None, description="secret with which Stripe signs webhooks")
    stripe_key: SecretStr | None = Field(None, description="Stripe's secret key, or a restricted one")
    payment_provider: Literal["paper", "stripe"] = Field(
        "paper", description="provider of new payments where there are keys of both, `paper` or `stripe`"
    )

    ticket_key: SecretStr = Field(
        min_length=32, description="key of the ticket codes (keyed hash), at least 32 characters"
    )
    hold_seconds: int = Field(600, ge=1, le=86400, description="length of a hold if the buyer specifies none")
    hold_seconds_max: int = Field(
        3600, ge=0, le=86400, description="maximum length of a hold, 0 for a day; set by the ledger's workers"
    )
    hold_tickets_max: int = Field(
        20,
        ge=0,
        le=10_000_000,
        description="maximum number of tickets that an account may hold of an event, 0 for no limit; "
        "set by the ledger's workers",
    )
    payment_seconds: int = Field(
        900,
        ge=1,
        le=86_400,
        description="seconds that a purchase which must be paid online is held; set by the ledger's workers",
    )
    hold_tickets_overall_max: int = Field(
        60,
        ge=0,
        le=10_000_000,
        description="maximum number of tickets that an account may hold overall, 0 for no limit; set by the API",
    )
    hold_cooldown_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="seconds before an account may hold a ticket type again after it gave back or lost a hold of it; "
        "set by the ledger's workers",
    )

    @field_validator("producers_with_payments")
    @classmethod
    def _are_producers(cls, names: str, known: ValidationInfo) -> str:
        if names and set(split(names)) - producer_quotas(known.data.get("producers", "")).keys():
            raise ValueError("must be names of TURNSTILE_PRODUCERS")
        return names

    @field_validator("stripe_key")
    @classmethod
    def _has_the_other_keys(cls, key: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if key is not None and not (known.data.get("stripe_page_key") and known.data.get("stripe_webhook_key")):
            raise ValueError("needs TURNSTILE_STRIPE_PAGE_KEY and TURNSTILE_STRIPE_WEBHOOK_KEY, too")
        return key

    @field_validator("payment_provider")
    @classmethod
    def _has_its_key(cls, provider: str, known: ValidationInfo) -> str:
        if provider == "stripe" and not known.data.get("stripe_key"):
            raise ValueError("needs TURNSTILE_STRIPE_KEY")
        return provider

    @property
    def producer_quotas(self) -> dict[str, int]:
        """By producer, its requests per second and partition."""
        return producer_quotas(self.producers)

    @property
    def paid_producers(self) -> frozenset[str]:
        """The other producers that may confirm with a payment."""
        return frozenset(split(self.producers_with_payments))
