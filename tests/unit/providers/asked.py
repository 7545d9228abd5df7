"""A provider whose calls are run to their ends in one event loop, as those of a worker are."""

import asyncio
from types import TracebackType
from typing import Self

from providers.paper import PaperProvider
from providers.port import PaymentQuestion, Provider
from tables.messages.payment_events import PaymentEvent
from tables.messages.payment_requests import PaymentRequest


class Asked:
    """The provider, and its loop."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._loop = asyncio.Runner()

    def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        return self._loop.run(self.provider.carry_out(request))

    def look(self, question: PaymentQuestion) -> list[PaymentEvent]:
        return self._loop.run(self.provider.look(question))

    def close(self) -> None:
        """End its connections and the loop."""
        self._loop.run(self._close())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    async def _close(self) -> None:
        if isinstance(self.provider, PaperProvider):
            for connection in self.provider._client._connections:
                connection.close()
            await asyncio.sleep(0.01)
