"""What an answer of a provider tells that does not come, and who is no provider."""

import asyncio
from uuid import uuid4

import pytest

from providers.port import PaymentQuestion
from streams.payments.provider_calls import ProviderCalls
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind
from tests.unit.streams.payments.conftest import FakeProvider
from tests.unit.tables.payments.payment_world import ADA, EVENT, PRICE, PURCHASE, event

QUESTION = PaymentQuestion(EVENT, PURCHASE, "EUR", "")
TOLD = event(PaymentEventKind.CAPTURED)


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


def asked(provider: FakeProvider, name: str) -> list[list[PaymentEvent]]:
    calls = ProviderCalls({provider.name: provider})

    async def both() -> list[list[PaymentEvent]]:
        return [await calls.carry_out(request(name)), await calls.look(name, QUESTION)]

    return asyncio.run(both())


def test_no_answer_and_a_library_that_fails_tell_nothing_and_nobody_is_an_error() -> None:
    provider = FakeProvider()
    provider.answers = [TOLD]
    assert asked(provider, "paper") == [[TOLD], [TOLD]]
    provider.down = True
    assert asked(provider, "paper") == [[], []]
    provider.broken = True
    assert asked(provider, "paper") == [[], []]
    with pytest.raises(MalformedRecord, match="stranger is not a provider"):
        asked(provider, "stranger")
