"""Postponed jobs come back unchanged; malformed ones become dead letters, and no timestamp delays them longer."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from connect.topics import JOBS, RETRIES, dead_letters
from streams.mail import requeue
from streams.mail.requeue import RETRY_PAUSE_S, RetriesAgent
from streams.runtime import dead_letters as deadletters
from streams.runtime.counters import Counters
from streams.runtime.produce import Record
from tables.messages.mail_jobs import encode_job
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
def work(topics: dict[str, list[Record]], waits: list[float]) -> Callable[..., None]:
    app: Any = SimpleNamespace(
        topic=lambda *args, **options: None,
        agent=lambda *args, **options: lambda body: body,
        counters=Counters(),
    )
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
