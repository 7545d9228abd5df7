"""Calls of providers: in the event loop where a provider can be asked there, else in threads, since they block."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from providers.port import LoopProvider, PaymentQuestion, Provider, ProviderUnavailable
from streams.runtime.app import App
from streams.runtime.produce import Record
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.payment_events import PaymentEvent, encode_payment_event
from tables.messages.payment_requests import PaymentRequest
from telemetry.rate_limited import RateLimitedLog

THREADS: Final = 16

Asked = TypeVar("Asked")
limited_log = RateLimitedLog(logging.getLogger(__name__))


class ProviderCalls:
    """The providers by name. A call tells nothing where the provider does not answer.

    Raises MalformedRecord for an unknown provider.
    """

    def __init__(self, app: App, providers: Mapping[str, Provider]) -> None:
        self.app = app
        self._providers = providers
        self._in_loop = {name: each for name, each in providers.items() if isinstance(each, LoopProvider)}
        self._threads = ThreadPoolExecutor(THREADS, "provider")

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        """What the provider of a request says to it."""
        provider, in_loop = self._known(request.provider)
        asked = self._in_thread(provider.carry_out, request) if in_loop is None else in_loop.carry_out_in_loop(request)
        return await _answered(provider.name, asked)

    async def look(self, name: str, question: PaymentQuestion) -> list[PaymentEvent]:
        """What a provider knows of a payment."""
        provider, in_loop = self._known(name)
        asked = self._in_thread(provider.look, question) if in_loop is None else in_loop.look_in_loop(question)
        return await _answered(name, asked)

    def _known(self, name: str) -> tuple[Provider, LoopProvider | None]:
        provider = self._providers.get(name)
        if provider is None:
            raise MalformedRecord(f"{name} is no provider of this deployment - at `$.provider`")
        return provider, self._in_loop.get(name)

    async def _in_thread(self, ask: Callable[[Asked], list[PaymentEvent]], asked: Asked) -> list[PaymentEvent]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, asked)


async def _answered(name: str, asked: Awaitable[list[PaymentEvent]]) -> list[PaymentEvent]:
    try:
        return await asked
    except ProviderUnavailable as error:
        limited_log.warning(name, "the provider %s does not answer, it is asked again later: %s", name, error)
        return []


def event_record(event: PaymentEvent) -> Record:
    """An event as a record of ``payment-events``."""
    return Record(id_bytes(event.purchase), encode_payment_event(event))
