"""Calls of the providers, by their names."""

import logging
from collections.abc import Awaitable, Mapping

from providers.port import PaymentQuestion, Provider, ProviderUnavailable
from streams.runtime.kafka_types import Record
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.payment_events import PaymentEvent, encode_payment_event
from tables.messages.payment_requests import PaymentRequest
from telemetry.rate_limited import RateLimitedLog

limited_log = RateLimitedLog(logging.getLogger(__name__))


class ProviderCalls:
    """The providers by name. A call tells nothing where the provider does not answer, or its library fails.

    Raises MalformedRecord for an unknown provider.
    """

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        """What the provider of a request says to it."""
        return await _answered(request.provider, self._known(request.provider).carry_out(request))

    async def look(self, name: str, question: PaymentQuestion) -> list[PaymentEvent]:
        """What a provider knows of a payment."""
        return await _answered(name, self._known(name).look(question))

    def _known(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise MalformedRecord(f"{name} is not a provider of this deployment - at `$.provider`")
        return provider


async def _answered(name: str, asked: Awaitable[list[PaymentEvent]]) -> list[PaymentEvent]:
    try:
        return await asked
    except ProviderUnavailable as error:
        limited_log.warning(name, "the provider %s does not answer, it is asked again later: %s", name, error)
    except MalformedRecord:
        raise
    except Exception as error:  # noqa: BLE001 (read again, its record would end each worker)
        limited_log.warning(f"{name} failed", "a call of the provider %s failed", name, exc_info=error)
    return []


def event_record(event: PaymentEvent) -> Record:
    """An event as a record of ``payment-events``."""
    return Record(id_bytes(event.purchase), encode_payment_event(event))
