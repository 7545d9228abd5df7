"""Who is asked in the event loop, who in a thread, and what an answer that does not come tells."""

import asyncio
import threading
from typing import Any
from uuid import uuid4

import pytest

from providers.paper import PaperProvider
from providers.port import LoopProvider, PaymentQuestion, ProviderUnavailable
from providers.stripe import StripeProvider
from streams.payments.provider_calls import ProviderCalls
from streams.runtime.app import App
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind
from tests.unit.streams.payments.conftest import FakeProvider, Role
from tests.unit.tables.payments.payment_world import ADA, EVENT, PRICE, PURCHASE, event

QUESTION = PaymentQuestion(EVENT, PURCHASE, "EUR", "")
TOLD = event(PaymentEventKind.CAPTURED)


class Threaded(FakeProvider):
    """Notes the threads in which it is asked."""

    name = "threaded"

    def __init__(self) -> None:
        super().__init__()
        self.answers = [TOLD]
        self.threads: list[str] = []

    def _answer(self) -> list[PaymentEvent]:
        self.threads.append(threading.current_thread().name)
        return super()._answer()


class Looping(Threaded):
    """Can be asked in the loop."""

    name = "looping"

    async def carry_out_in_loop(self, request: PaymentRequest) -> list[PaymentEvent]:
        return self.carry_out(request)

    async def look_in_loop(self, question: PaymentQuestion) -> list[PaymentEvent]:
        return self.look(question)


def request(provider: str) -> PaymentRequest:
    return PaymentRequest(
        id=uuid4(),
        kind=PaymentRequestKind.CAPTURE,
        event=EVENT,
        purchase=PURCHASE,
        account=ADA,
        provider=provider,
        amount=PRICE,
        currency="EUR",
    )


def asked(app: App, provider: Any, name: str) -> list[list[PaymentEvent]]:
    calls = ProviderCalls(app, {provider.name: provider})

    async def both() -> list[list[PaymentEvent]]:
        return [await calls.carry_out(request(name)), await calls.look(name, QUESTION)]

    return asyncio.run(both())


@pytest.mark.parametrize(("provider", "in_thread"), [(Threaded(), True), (Looping(), False)])
def test_only_who_can_be_asked_in_the_loop_is(role: Role, provider: Threaded, in_thread: bool) -> None:
    assert asked(role.payments.app, provider, provider.name) == [[TOLD], [TOLD]]
    assert {name.startswith("provider") for name in provider.threads} == {in_thread}


@pytest.mark.parametrize("provider", [Threaded(), Looping()])
def test_no_answer_tells_nothing_and_nobody_is_an_error(role: Role, provider: Threaded) -> None:
    provider.down = True
    assert asked(role.payments.app, provider, provider.name) == [[], []]
    with pytest.raises(MalformedRecord, match="stranger is no provider"):
        asked(role.payments.app, provider, "stranger")


def test_paper_is_asked_in_the_loop_and_stripe_in_threads() -> None:
    assert issubclass(PaperProvider, LoopProvider)
    assert not issubclass(StripeProvider, LoopProvider)
    with pytest.raises(ProviderUnavailable):
        asyncio.run(PaperProvider("http://127.0.0.1:9", "key", timeout_s=0.1).look_in_loop(QUESTION))
