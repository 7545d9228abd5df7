"""What the mailer does with a batch of jobs; mail server and log are fakes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from connect.topics import DELIVERIES, JOBS, RETRIES, dead_letters
from settings import Settings
from streams.mail import mailer
from streams.mail.contacts import Contact
from streams.mail.mailer import MailerAgent
from streams.mail.smtp import PermanentlyRefused, ServerUnavailable, SmtpError, TemporarilyRefused
from streams.runtime import failures, produce
from streams.runtime.agents import Interrupted
from streams.runtime.counters import Counters
from streams.runtime.headers import FIRST_SEEN
from streams.runtime.kafka_types import Record
from tables.messages.deliveries import decode_delivery
from tables.messages.mail_jobs import Job, decode_job, encode_job
from tables.messages.mail_kinds import MailKind
from tests.unit.streams.mailing import ACCOUNT, ADA, KEY, LINK_KEY, job

BOB = UUID(int=0xB0B)


@dataclass
class Office:
    """The mailer's world: contacts, a mail server, topics."""

    contacts: dict[UUID, Contact] = field(default_factory=lambda: {ACCOUNT: ADA})
    faults: list[SmtpError | None] = field(default_factory=list)
    sent: list[EmailMessage] = field(default_factory=list)
    topics: dict[str, list[Record]] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    under_way: int = 0
    most_under_way: int = 0
    # A rebalance begins after so many mails.
    flows_for: float = float("inf")

    def find(self, partition: int, account: bytes) -> Contact | None:
        return self.contacts.get(UUID(account.decode()))

    async def send(self, mail: EmailMessage) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault
        self.sent.append(mail)

    async def append(self, app: Any, topic: str, partition: int, records: list[Record]) -> None:
        self.topics.setdefault(topic, []).extend(records)

    def told(self) -> list[str]:
        return [decode_delivery(record.value).status for record in self.topics.get(DELIVERIES, [])]


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office()
    monkeypatch.setattr(produce, "append", office.append)
    for name in ("BACKOFF_FIRST_S", "BACKOFF_MAX_S", "INTERRUPT_CHECK_S"):
        monkeypatch.setattr(failures, name, 0.001)
    return office


@pytest.fixture
def work(office: Office) -> Callable[..., None]:
    app: Any = SimpleNamespace(
        settings=Settings(ticket_key=KEY.decode(), link_key=LINK_KEY),
        add_agent=lambda topic, handle, *, commit_each, **options: None,
        should_stop=False,
        counters=office.counters,
        flow_control=SimpleNamespace(is_active=lambda: len(office.sent) < office.flows_for),
    )
    agent = MailerAgent(app, office, pause_s=0)  # type: ignore[arg-type]
    agent.smtp = office  # type: ignore[assignment]

    def run(*jobs: Job | bytes, age: float = 0) -> None:
        asyncio.run(agent._handle([message(number, each, age) for number, each in enumerate(jobs)]))

    return run


def message(number: int, one: Job | bytes, age: float) -> Any:
    value = one if isinstance(one, bytes) else encode_job(one)
    key = str(one.account).encode() if isinstance(one, Job) else b"?"
    return SimpleNamespace(
        topic=JOBS, partition=1, offset=number, key=key, value=value, headers=[], timestamp=time.time() - age
    )


def numbered(number: int, account: UUID = ACCOUNT, **more: Any) -> Job:
    return job(id=UUID(int=number), account=account, **more)


def test_a_rebalance_waits_only_for_the_mails_being_sent(office: Office, work: Callable[..., None]) -> None:
    office.flows_for = 2
    work(*[numbered(number) for number in range(1, 6)])
    assert len(office.sent) == 2
    assert office.told() == ["sent", "sent"]
    assert [decode_job(record.value).id for record in office.topics[RETRIES]] == [
        UUID(int=number) for number in (3, 4, 5)
    ]


@pytest.mark.parametrize("sent", [0, 2])
def test_what_was_sent_before_the_server_went_away_is_not_sent_again_after_a_rebalance(
    office: Office, work: Callable[..., None], monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    async def interrupted(app: Any, action: Callable[[], Awaitable[None]], **_: Any) -> None:
        with pytest.raises(ServerUnavailable):
            await action()
        raise Interrupted

    monkeypatch.setattr(mailer, "with_retries", interrupted)
    office.faults = [*[None] * sent, ServerUnavailable("gone")]
    with nullcontext() if sent else pytest.raises(Interrupted):
        work(*[numbered(number) for number in range(5)])
    assert office.told() == ["sent"] * sent
    left = [decode_job(record.value).id.int for record in office.topics.get(RETRIES, [])]
    assert left == ([2, 3, 4] if sent else [])


def test_a_mail_is_sent_and_noted(office: Office, work: Callable[..., None]) -> None:
    work(numbered(1))
    assert [mail["To"] for mail in office.sent] == ["Ada Byron <ada@buyer.example>"]
    [record] = office.topics.pop(DELIVERIES)
    noted = decode_delivery(record.value)
    assert (noted.id, noted.status, noted.account, noted.kind) == (
        UUID(int=1),
        "sent",
        ACCOUNT,
        MailKind.CONFIRMED,
    )
    assert b"ada@" not in (record.value or b"")
    assert office.counters.mails == {("confirmed", "sent"): 1}
    assert not office.topics


def test_mails_to_one_account_keep_their_order_while_others_go_beside_them(
    office: Office, work: Callable[..., None]
) -> None:
    others = [UUID(int=number) for number in range(100, 110)]
    office.contacts |= {account: replace(ADA, email=f"{account.int}@buyer.example") for account in others}
    work(*(numbered(number) for number in range(5)), *(numbered(account.int, account) for account in others))
    mine = [mail["Message-ID"] for mail in office.sent if "ada@" in mail["To"]]
    assert mine == [f"<{UUID(int=number)}@turnstile.example>" for number in range(5)]
    assert len(office.sent) == 15
    assert office.most_under_way == mailer.CONNECTIONS


def test_poison_between_two_good_ones_delays_neither(office: Office, work: Callable[..., None]) -> None:
    broken = numbered(2, lines=(replace(job().lines[0], codes=("no code!",)),))
    endless = encode_job(numbered(2, kind=MailKind.HOLD_ENDING, deadline=datetime.min))  # noqa: DTZ901
    work(numbered(1), b"{", broken, endless, numbered(3))
    assert len(office.sent) == 2
    letters = office.topics[dead_letters("mailer")]
    assert [record.value for record in letters] == [b"{", endless, encode_job(broken)]
    assert sorted(office.told()) == ["failed", "sent", "sent"]


def test_a_mail_that_is_refused_for_ever_is_a_dead_letter_with_the_reason(
    office: Office, work: Callable[..., None]
) -> None:
    office.faults = [PermanentlyRefused("550 no such user")]
    work(numbered(1), numbered(2))
    [record] = office.topics[dead_letters("mailer")]
    assert dict(record.headers)["dlq-error"] == b"PermanentlyRefused: 550 no such user"
    assert office.told() == ["failed", "sent"]
    assert office.counters.mails == {("confirmed", "failed"): 1, ("confirmed", "sent"): 1}


def test_a_mail_that_is_refused_for_now_comes_again_later_and_delays_nobody(
    office: Office, work: Callable[..., None]
) -> None:
    office.faults = [TemporarilyRefused("450 greylisted")]
    work(numbered(1), numbered(2))
    assert [record.value for record in office.topics[RETRIES]] == [encode_job(numbered(1))]
    assert FIRST_SEEN in dict(office.topics[RETRIES][0].headers)
    assert office.told() == ["sent"]
    assert office.counters.mails == {("confirmed", "later"): 1, ("confirmed", "sent"): 1}


def test_a_mail_that_is_refused_for_now_for_a_day_is_a_dead_letter(office: Office, work: Callable[..., None]) -> None:
    office.faults = [TemporarilyRefused("450 greylisted")]
    work(numbered(1), age=mailer.REFUSAL_WAIT_S + 1)
    assert RETRIES not in office.topics
    assert len(office.topics[dead_letters("mailer")]) == 1


def test_a_server_that_is_away_is_waited_for_and_the_log_says_so_once(
    office: Office, work: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    office.contacts[BOB] = replace(ADA, email="bob@buyer.example")
    office.faults = [ServerUnavailable("gone")] * 12
    with caplog.at_level("INFO"):
        work(numbered(1), numbered(2, BOB), numbered(3))
    assert len(office.sent) == 3
    assert office.told() == ["sent"] * 3
    assert dead_letters("mailer") not in office.topics
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "sending mail failed",
        "sending mail works again",
    ]


@pytest.mark.parametrize(
    ("age", "topic"),
    [(0.0, JOBS), (mailer.CONTACT_GRACE_S + 1, RETRIES), (mailer.CONTACT_WAIT_S + 1, dead_letters("mailer"))],
)
def test_a_mail_to_nobody_waits_for_a_contact_then_waits_longer_then_is_a_dead_letter(
    office: Office, work: Callable[..., None], age: float, topic: str
) -> None:
    work(numbered(1, BOB), numbered(2), age=age)
    assert [record.value for record in office.topics[topic]] == [encode_job(numbered(1, BOB))]
    assert len(office.sent) == 1


def test_a_mail_to_an_account_that_was_erased_is_dropped_with_a_line(
    office: Office, work: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    office.contacts[ACCOUNT] = Contact(5, "", "", "")
    with caplog.at_level("INFO"):
        work(numbered(1))
    assert not office.sent
    assert not office.topics
    assert "the account is deleted" in caplog.text


def test_a_reminder_of_a_hold_that_has_ended_is_dropped(office: Office, work: Callable[..., None]) -> None:
    work(numbered(1, kind=MailKind.HOLD_ENDING, deadline=datetime(2020, 1, 1, tzinfo=UTC)))
    assert office.counters.mails == {("hold-ending", "dropped"): 1}
    assert not office.sent
    assert not office.topics
