"""Calls of providers in threads: they block, and the worker's loop must not."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from providers.port import Provider, ProviderUnavailable
from streams.runtime.app import App
from streams.runtime.produce import Record
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.payment_events import PaymentEvent, encode_payment_event
from telemetry.rate_limited import RateLimitedLog

THREADS: Final = 16

limited_log = RateLimitedLog(logging.getLogger(__name__))


class ProviderThreads:
    """The providers by name, and the threads that call them."""

    def __init__(self, app: App, providers: Mapping[str, Provider]) -> None:
        self.app = app
        self._providers = providers
        self._threads = ThreadPoolExecutor(THREADS, "provider")

    async def call(self, name: str, ask: Callable[[Provider], list[PaymentEvent]]) -> list[PaymentEvent]:
        """What a provider says; nothing where it does not answer. Raises MalformedRecord for an unknown one."""
        provider = self._providers.get(name)
        if provider is None:
            raise MalformedRecord(f"{name} is no provider of this deployment - at `$.provider`")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask, provider)
        except ProviderUnavailable as error:
            limited_log.warning(name, "the provider %s does not answer, it is asked again later: %s", name, error)
            return []


def event_record(event: PaymentEvent) -> Record:
    """An event as a record of ``payment-events``."""
    return Record(id_bytes(event.purchase), encode_payment_event(event))
