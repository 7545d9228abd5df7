"""Postponed jobs come back unchanged; malformed ones become dead letters, and no timestamp delays them longer."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from connect.topics import JOBS, RETRIES, dead_letters
from streams.mail import requeue
from streams.mail.bookings import TracedJob
from streams.mail.requeue import UNKNOWN_PAUSE_S, ResendsAgent, RetriesAgent
from streams.runtime import produce
from streams.runtime.counters import Counters
from streams.runtime.kafka_types import Record
from tables.messages.mail_jobs import encode_job
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend, encode_resend
from tables.messages.outcomes import MoneyAmount
from tests.unit.streams.mailing import job

ACCOUNT = UUID(int=7)
PAUSE_S = 12.0


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Record]]:
    topics: dict[str, list[Record]] = {}

    async def append(app: Any, topic: str, partition: int, records: list[Record]) -> None:
        topics.setdefault(topic, []).extend(records)

    monkeypatch.setattr(produce, "append", append)
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
        add_agent=lambda topic, handle, *, commit_each, **options: None,
        counters=Counters(),
        settings=SimpleNamespace(mail_retry_seconds=PAUSE_S, partitions=4),
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
    assert waits == [PAUSE_S]


def resend(payment: PaymentNews | None = None) -> Resend:
    return Resend(UUID(int=1), UUID(int=2), UUID(int=3), datetime.now(UTC), payment)


PAID = PaymentNews(next(iter(MailKind)), MoneyAmount(Decimal(1), "EUR"))


class Outcomes:
    """The bookings of a worker that is behind for so many looks; the last outcome may be the purchase's."""

    def __init__(self, looks_behind: int, comes: bool) -> None:
        self.looks_behind = looks_behind
        self.comes = comes
        self.asked_partitions: list[int] = []

    def is_caught_up(self, partition: int) -> bool:
        self.asked_partitions.append(partition)
        self.looks_behind -= 1
        return self.looks_behind < 0

    def unit_of_work(self, partition: int) -> Any:
        known = self.comes and self.looks_behind < 0
        return SimpleNamespace(resend=lambda _: job(account=ACCOUNT) if known else None)


def ask(app: Any, monkeypatch: pytest.MonkeyPatch, outcomes: Outcomes, wanted: Resend) -> list[TracedJob]:
    """The mails that are sent for a request."""
    sent: list[TracedJob] = []

    async def send(app: Any, jobs: list[TracedJob]) -> None:
        sent.extend(jobs)

    monkeypatch.setattr(requeue, "send_jobs", send)
    bookings: Any = outcomes
    agent = ResendsAgent(app, bookings, outcomes.is_caught_up)
    asyncio.run(agent._handle([message(encode_resend(wanted))]))
    return sent


@pytest.mark.parametrize("wanted", [resend(PAID), resend()], ids=["payment", "last mail"])
@pytest.mark.parametrize("looks_behind", [0, 3])
def test_a_request_waits_for_the_outcome_of_its_purchase_which_comes_by_another_topic(
    app: Any,
    topics: dict[str, list[Record]],
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    wanted: Resend,
    looks_behind: int,
) -> None:
    outcomes = Outcomes(looks_behind, comes=True)
    assert ask(app, monkeypatch, outcomes, wanted) == [TracedJob(job(account=ACCOUNT))]
    assert (topics, waits) == ({}, [UNKNOWN_PAUSE_S] * (looks_behind + 1))
    assert set(outcomes.asked_partitions) == {1}


@pytest.mark.parametrize("wanted", [resend(PAID), resend()], ids=["payment", "last mail"])
def test_a_request_for_a_purchase_that_no_outcome_names_is_a_dead_letter(
    app: Any, topics: dict[str, list[Record]], waits: list[float], monkeypatch: pytest.MonkeyPatch, wanted: Resend
) -> None:
    assert ask(app, monkeypatch, Outcomes(2, comes=False), wanted) == []
    assert (list(topics), len(waits)) == ([dead_letters("resends")], 3)


def test_a_request_for_a_known_purchase_waits_for_nothing(
    app: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = Outcomes(-1, comes=True)
    assert ask(app, monkeypatch, outcomes, resend()) == [TracedJob(job(account=ACCOUNT))]
    assert waits == [] == outcomes.asked_partitions
