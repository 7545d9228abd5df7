"""What `turnstile payments reconcile` names, and what it appends."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from ops import payments
from ops.commands import payments as commands
from ops.payments import KnownPayment, differences
from providers.port import PaymentQuestion, ProviderUnavailable
from settings import Settings
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, decode_payment_event
from tests.unit.streams.payments.conftest import FakeProvider
from tests.unit.tables.payments.payment_world import EVENT, PRICE, PURCHASE, event

K = PaymentEventKind
NOTHING = Decimal(0)
KNOWN = KnownPayment(EVENT, PURCHASE, "captured", "paper", "pay-1", "EUR", PRICE, NOTHING, NOTHING, PRICE)


@pytest.mark.parametrize(
    ("known", "found", "said"),
    [
        (KNOWN, [event(K.CAPTURED)], []),
        (KNOWN._replace(refunded=PRICE, worth=NOTHING), [event(K.CAPTURED), event(K.REFUNDED)], []),
        (KNOWN._replace(state="confirming", captured=NOTHING, worth=NOTHING), [event(K.AUTHORIZED)], []),
        (KNOWN._replace(goodwill=PRICE, refunded=PRICE), [event(K.CAPTURED), event(K.REFUNDED)], []),
        (
            KNOWN._replace(goodwill=PRICE),
            [event(K.CAPTURED)],
            ["charged is 49.90 and the tickets are worth 49.90, less 49.90 as goodwill"],
        ),
        (KNOWN, [], ["knows no payment", "captured is 0", "charged is 0 and the tickets are worth 49.90"]),
        (KNOWN, [event(K.CAPTURED), event(K.REFUNDED)], ["refunded is 49.90", "charged is 0.00"]),
        (KNOWN._replace(worth=NOTHING), [event(K.CAPTURED)], ["charged is 49.90 and the tickets are worth 0"]),
        (
            KNOWN._replace(state="voided", captured=NOTHING, worth=NOTHING),
            [event(K.AUTHORIZED)],
            ["49.90 is authorized and the payment is voided"],
        ),
    ],
)
def test_every_difference_is_named(known: KnownPayment, found: list[PaymentEvent], said: list[str]) -> None:
    named = differences(known, found)
    assert len(named) == len(said)
    assert all(words in name for words, name in zip(said, named, strict=True))


class Log:
    """Keeps what is appended."""

    def __init__(self, _: Any = None) -> None:
        self.values: list[bytes] = []

    def append(self, topic: str, partition: int, key: bytes, value: bytes, headers: Any) -> None:
        self.values.append(value)

    def close(self) -> None:
        return


def test_what_the_provider_says_is_appended(monkeypatch: pytest.MonkeyPatch) -> None:
    log, provider = Log(), FakeProvider()
    provider.answers = [event(K.CAPTURED)]
    gone = KNOWN._replace(provider="gone")
    monkeypatch.setattr(payments, "Appender", lambda _: log)
    monkeypatch.setattr(payments, "providers_of", lambda _: {"paper": provider})
    monkeypatch.setattr(payments, "_known", lambda _, everything: [KNOWN, gone])
    found = list(payments.reconcile(Settings(ticket_key="k" * 32), everything=True))
    assert [said for _, said in found] == [[], ["gone is not a provider of this deployment"]]
    assert [decode_payment_event(value).kind for value in log.values] == [K.CAPTURED]


@pytest.mark.parametrize(
    ("tells", "ends", "asked"),
    [("xy", False, 2), ("xxy", False, 3), ("yxxyxxy", False, 7), ("xxxy", True, 3), ("yxxx", True, 4), ("x", True, 1)],
)
def test_a_payment_of_which_nothing_can_be_read_keeps_no_others_waiting(
    tells: str, ends: bool, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = FakeProvider()

    async def look(question: PaymentQuestion) -> list[PaymentEvent]:
        provider.looked.append(question)
        if tells[len(provider.looked) - 1] == "x":
            raise [ProviderUnavailable("rubbish"), MalformedRecord("no currency")][len(provider.looked) % 2]
        return [event(K.CAPTURED)]

    monkeypatch.setattr(provider, "look", look)
    monkeypatch.setattr(payments, "Appender", Log)
    monkeypatch.setattr(payments, "providers_of", lambda _: {"paper": provider})
    monkeypatch.setattr(payments, "_known", lambda _, everything: [KNOWN._replace(reference=one) for one in tells])
    found: list[str] = []
    try:
        for _, said in payments.reconcile(Settings(ticket_key="k" * 32), everything=True):
            found.append("x" if said else "y")
    except (MalformedRecord, ProviderUnavailable):
        assert ends
    else:
        assert not ends
        assert "".join(found) == tells
    assert len(provider.looked) == asked


@pytest.mark.parametrize(("said", "code"), [([], 0), (["captured is 1"], 1)])
def test_the_command_ends_with_1_if_something_differs(
    said: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(_: Any, *, everything: bool) -> Iterator[tuple[KnownPayment, list[str]]]:
        yield KNOWN, said

    monkeypatch.setattr(commands, "reconcile", found)
    monkeypatch.setattr(commands, "settings", lambda: None)
    outcome = CliRunner().invoke(commands.command, ["reconcile"])
    assert outcome.exit_code == code, outcome.output
    assert f"1 payments asked about, {code} differ" in outcome.output
