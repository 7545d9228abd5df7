"""The port of a provider of payments."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from tables.messages.payment_events import PaymentEvent
from tables.messages.payment_requests import PaymentRequest

# Of one call, with its retries.
CALL_TIMEOUT_S: Final = 5.0
# A webhook that was signed earlier is refused, so that nobody can replay one that he recorded.
WEBHOOK_MAX_AGE_S: Final = 300


class PaymentQuestion(NamedTuple):
    """Which payment a provider is asked about. ``reference`` may be empty."""

    event: UUID
    purchase: UUID
    currency: str
    reference: str


class PageFields(NamedTuple):
    """What the provider's own fields need on our page: its key for browsers, and the secret of this payment."""

    key: str
    secret: str


class ProviderUnavailable(Exception):
    """The provider did not answer, or not in a way that tells what it did. The same request may be sent again."""


class WebhookRefused(Exception):
    """A webhook that is not the provider's, or too old; the message says why."""


class Provider(Protocol):
    """A provider. A call takes CALL_TIMEOUT_S at most. All coroutines of one provider run in one event loop."""

    name: str
    # Whether it may have to be asked what a webhook means, which blocks.
    asks_about_webhooks: bool

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        """Carry out a request, once by its id, and tell what happened. Raises ProviderUnavailable."""

    async def look(self, question: PaymentQuestion) -> list[PaymentEvent]:
        """What the provider knows of a payment now; empty if it knows none. Raises ProviderUnavailable."""

    def page_fields(self, reference: str) -> PageFields | None:
        """In a thread: for the fields on our page; None where the provider has a page of its own.

        Raises ProviderUnavailable.
        """

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        """The events of a webhook, checked. ``headers`` by lower-case name.

        Raises WebhookRefused, MalformedRecord, and ProviderUnavailable where the provider has to be asked.
        """
