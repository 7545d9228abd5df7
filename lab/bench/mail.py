"""Mails: what one costs the worker, and how long after a decision it arrives.

Accounts and outcomes are put on their topics as Debezium and the ledger would put them; nothing else runs but the
broker, the mail server and one worker of the role ``notifications``.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid4

import httpx
import msgspec
from aiokafka import AIOKafkaProducer

from connect.partitioning import partition_of
from connect.topics import ACCOUNT_ROWS, DELIVERIES, OUTCOMES
from lab.bench.cpu import cpu_seconds, resident_mb
from lab.bench.latency import percentile
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import random_id
from lab.bench.topics import counting, make_topics
from lab.bench.track import Sample, follow
from lab.trial_stack import TrialStack
from settings import Settings
from stack.member import HOST
from tables.ids import TicketCodes
from tables.messages.mail_jobs import job_for
from tables.messages.outcomes import EventFacts, MoneyAmount, Outcome, OutcomeKind, OutcomeLine, encode_outcome
from tables.messages.statuses import PurchaseStatus

SEED: Final = 8
ACCOUNTS: Final = 200
MAILS: Final = 4_000
MAILS_PER_S: Final = 10
PROBE_COUNT: Final = 300
WARM_UP_COUNT: Final = 200
MEASURED_SHARE: Final = 0.95
STALL_TIMEOUT_S: Final = 60.0
SETTLE_S: Final = 15.0
WORKER: Final = "notifications-0"
CODES: Final = TicketCodes(b"k" * 32)
LOCALES: Final = ("en", "de-AT", "es", "fr")


def tickets(lab: Lab) -> Figures:
    """Confirmed purchases of two tickets: signed codes, pictures, a calendar file."""
    return _cost(lab, OutcomeKind.CONFIRMED, "mail.tickets_per_worker_cpu_s")


def notices(lab: Lab) -> Figures:
    """Holds: text only."""
    return _cost(lab, OutcomeKind.HELD, "mail.notices_per_worker_cpu_s")


def latency(lab: Lab) -> Figures:
    """Ten decisions a second, from the outcome's own time to the mailbox."""
    with _running(lab) as (stack, settings, accounts):
        count = lab.count(PROBE_COUNT)
        made = list(_outcomes(accounts, OutcomeKind.CONFIRMED, count))
        with lab.step(f"{count} decisions, {MAILS_PER_S} a second", count) as tick:
            asyncio.run(_paced(settings, made, tick))
        seconds = _until_received(stack, made)
    lab.series["mail.latency"] = sorted(1000 * each for each in seconds)
    return {
        "mail.decision_to_mailbox_p50_ms": 1000 * percentile(seconds, 50),
        "mail.decision_to_mailbox_p99_ms": 1000 * percentile(seconds, 99),
    }


def _cost(lab: Lab, kind: OutcomeKind, figure: str) -> Figures:
    count = lab.count(MAILS)
    with (
        _running(lab) as (stack, settings, accounts),
        counting(settings.kafka_servers, settings.partitions, DELIVERIES) as sent,
    ):
        asyncio.run(_append(settings, OUTCOMES, _records(_outcomes(accounts, kind, count))))
        began = time.monotonic()

        def look() -> Sample:
            return Sample(time.monotonic() - began, sent(), cpu_seconds(stack.pids), resident_mb(stack.pids))

        with lab.step(f"{count:,} mails", count) as tick:
            track = follow(look, count, stall_timeout_s=STALL_TIMEOUT_S, tick=tick)
    cost = track.between(min(WARM_UP_COUNT, count // 2), round(MEASURED_SHARE * count))
    lab.series[figure] = track.plain()
    return {figure: cost.per_cpu_second("notifications")}


@contextmanager
def _running(lab: Lab) -> Iterator[tuple[TrialStack, Settings, list[UUID]]]:
    """A broker, a mail server and a worker that has some accounts."""
    rng = random.Random(SEED)
    accounts = [random_id(rng) for _ in range(ACCOUNTS)]
    with lab.stack() as stack:
        settings = lab.settings(stack)
        with lab.step("starting broker, mail server and worker"):
            stack.start("kafka", "smtp")
            make_topics(settings)
            rows = ((str(account), _row(account, number)) for number, account in enumerate(accounts))
            asyncio.run(_append(settings, ACCOUNT_ROWS, rows))
            stack.start(WORKER)
        yield stack, settings, accounts


def _row(account: UUID, number: int) -> bytes:
    name = {"first_name": "Ada", "last_name": f"Number {number}", "locale": LOCALES[number % len(LOCALES)]}
    return msgspec.json.encode({"id": account, "email": f"{number}@buyer.example", "__lsn": 1, "__op": "c"} | name)


def _outcomes(accounts: list[UUID], kind: OutcomeKind, count: int) -> Iterator[Outcome]:
    rng = random.Random(SEED)
    now = datetime.now(UTC)
    begins = now + timedelta(days=30)
    ends = begins + timedelta(hours=2)
    facts = EventFacts("A night of songs", "ACTIVE", begins, ends, "Europe/Vienna", "Old Gasworks", "Wien", 1)
    for offset in range(count):
        event, purchase = random_id(rng), uuid4()
        codes = tuple(CODES.code(event, purchase, place) for place in range(2)) if kind is OutcomeKind.CONFIRMED else ()
        yield Outcome(
            kind=kind,
            event=event,
            offset=offset,
            at=datetime.now(UTC),
            purchase=purchase,
            account=accounts[offset % len(accounts)],
            status=PurchaseStatus(kind.value),
            lines=(OutcomeLine(purchase, "Stalls", 2, Decimal("49.90"), codes),),
            total=MoneyAmount(Decimal("99.80"), "EUR"),
            facts=facts,
            deadline=now + timedelta(hours=8),
        )


def _records(outcomes: Iterator[Outcome]) -> Iterator[tuple[str, bytes]]:
    return ((str(outcome.event), encode_outcome(outcome)) for outcome in outcomes)


async def _append(settings: Settings, topic: str, records: Iterator[tuple[str, bytes]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_servers, acks="all") as producer:
        for key, value in records:
            home = partition_of(key.encode(), settings.partitions)
            await producer.send(topic, key=key.encode(), value=value, partition=home)
        await producer.flush()


async def _paced(settings: Settings, outcomes: list[Outcome], tick: Callable[[int], None]) -> None:
    """Append each at its intended moment, which is the time of its decision."""
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_servers, acks="all") as producer:
        began = time.time()
        for number, outcome in enumerate(outcomes):
            due = began + number / MAILS_PER_S
            await asyncio.sleep(max(0.0, due - time.time()))
            outcomes[number] = msgspec.structs.replace(outcome, at=datetime.fromtimestamp(due, UTC))
            key = str(outcome.event).encode()
            home = partition_of(key, settings.partitions)
            await producer.send_and_wait(OUTCOMES, key=key, value=encode_outcome(outcomes[number]), partition=home)
            tick(number + 1)


def _until_received(stack: TrialStack, outcomes: list[Outcome]) -> list[float]:
    """Seconds from each decision to the arrival of its mail. Raises TimeoutError if a mail is missing."""
    decided = {str(job.id): outcome.at for outcome in outcomes if (job := job_for(outcome))}
    deadline = time.monotonic() + SETTLE_S
    while True:
        url = f"http://{HOST}:{stack.settings.mail_port}/mails.json"
        mails = httpx.get(url, timeout=10, trust_env=False).json()
        received = {mail["message_id"].strip("<>").partition("@")[0]: mail["received"] for mail in mails}
        if decided.keys() <= received.keys():
            return [(datetime.fromisoformat(received[one]) - at).total_seconds() for one, at in decided.items()]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(decided.keys() - received.keys())} mails are missing")
        time.sleep(0.2)


MEASUREMENTS: Final = (
    Measurement("mail.tickets", "mails with two signed tickets and a calendar file, one worker", tickets),
    Measurement("mail.notices", "mails of words only, one worker", notices),
    Measurement("mail.latency", "decision to mailbox with 10 decisions a second", latency),
)
