"""Postponed jobs come back unchanged; malformed ones become dead letters, and no timestamp delays them longer."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from connect.topics import JOBS, RESENDS, RETRIES, dead_letters
from streams.mail import requeue
from streams.mail.requeue import RETRY_PAUSE_S, UNKNOWN_MAX_S, ResendsAgent, RetriesAgent
from streams.runtime import dead_letters as deadletters
from streams.runtime.counters import Counters
from streams.runtime.produce import Record
from tables.messages.mail_jobs import encode_job
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend, encode_resend
from tables.messages.outcomes import MoneyAmount
from tests.unit.streams.mailing import job

ACCOUNT = UUID(int=7)


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Record]]:
    topics: dict[str, list[Record]] = {}

    async def append(app: Any, topic: str, partition: int, records: list[Record]) -> None:
        topics.setdefault(topic, []).extend(records)

    monkeypatch.setattr(requeue, "append", append)
    monkeypatch.setattr(deadletters, "append", append)
    return topics


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []

    async def wait(app: Any, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(requeue, "interruptible_sleep", wait)
    return waits


@pytest.fixture
def app(topics: dict[str, list[Record]], waits: list[float]) -> Any:
    return SimpleNamespace(
        topic=lambda *args, **options: None,
        agent=lambda *args, **options: lambda body: body,
        counters=Counters(),
    )


@pytest.fixture
def work(app: Any) -> Callable[..., None]:
    agent = RetriesAgent(app)
    return lambda *messages: asyncio.run(agent._handle(list(messages)))


def message(value: bytes | None, *headers: tuple[str, bytes | None], key: bytes = b"k", at: float = 0.0) -> Any:
    return SimpleNamespace(topic=RETRIES, partition=1, offset=3, key=key, value=value, headers=headers, timestamp=at)


def test_a_job_comes_back_with_its_first_time_and_nothing_that_others_wrote(
    topics: dict[str, list[Record]], work: Callable[..., None]
) -> None:
    value = encode_job(job(account=ACCOUNT))
    work(message(value, ("first-seen", b"5"), ("foreign", b"x" * 2_000_000), key=b"k" * 2_000_000))
    assert topics == {JOBS: [Record(str(ACCOUNT).encode(), value, [("first-seen", b"5")])]}


@pytest.mark.parametrize("value", [None, b"{", b" " * 3_000_000], ids=["null", "no job", "too large"])
def test_what_is_no_job_is_a_dead_letter(
    value: bytes | None, topics: dict[str, list[Record]], work: Callable[..., None]
) -> None:
    work(message(value))
    assert list(topics) == [dead_letters("retries")]


def test_no_record_waits_longer_than_the_pause(waits: list[float], work: Callable[..., None]) -> None:
    work(message(encode_job(job(account=ACCOUNT)), at=4_000_000_000.0))
    assert waits == [RETRY_PAUSE_S]


@pytest.fixture
def asked(app: Any) -> Callable[[Resend], bytes]:
    """Asks for a mail of a purchase that is not known."""
    bookings: Any = SimpleNamespace(unit_of_work=lambda _: SimpleNamespace(resend=lambda _: None), app=app)
    agent = ResendsAgent(app, bookings)

    def ask(resend: Resend) -> bytes:
        value = encode_resend(resend)
        asyncio.run(agent._handle([message(value)]))
        return value

    return ask


def resend(age_s: float, payment: PaymentNews | None) -> Resend:
    return Resend(UUID(int=1), UUID(int=2), UUID(int=3), datetime.fromtimestamp(time.time() - age_s, UTC), payment)


PAID = PaymentNews(next(iter(MailKind)), MoneyAmount(Decimal(1), "EUR"))


def test_a_mail_about_a_payment_waits_for_the_purchase_which_comes_by_another_topic(
    topics: dict[str, list[Record]], waits: list[float], asked: Callable[[Resend], bytes]
) -> None:
    value = asked(resend(60, PAID))
    assert topics == {RESENDS: [Record(b"k", value, [])]}
    assert len(waits) == 1


@pytest.mark.parametrize("wanted", [resend(UNKNOWN_MAX_S + 60, PAID), resend(0, None)], ids=["too long", "no payment"])
def test_a_mail_of_an_unknown_purchase_is_a_dead_letter(
    wanted: Resend, topics: dict[str, list[Record]], asked: Callable[[Resend], bytes]
) -> None:
    asked(wanted)
    assert list(topics) == [dead_letters("resends")]
