"""The agent that sends mails: a job meets its contact, becomes a mail, goes to the mail server.

A server that is away is waited for. What it refuses for now, or has no contact yet, comes again later and delays
nobody. Mails to one account go out in their order.
"""

import asyncio
import logging
import re
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connect.topics import DELIVERIES, JOBS, RETRIES
from settings import Settings
from streams.mail.composer import Composer
from streams.mail.contacts import Contact, ContactsAgent
from streams.mail.smtp import Post, RefusedForEver, RefusedForNow, ServerAway
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, letter, sort_out
from streams.runtime.headers import FIRST_SEEN, carried_headers, first_seen
from streams.runtime.kafka_types import Message
from streams.runtime.produce import Record
from streams.runtime.record_context import about
from streams.runtime.retry import append, patiently
from streams.runtime.tracing import headers_from
from tables.errors import MalformedRecord
from tables.mail.links import MailLinks
from tables.messages.deliveries import Delivery, DeliveryStatus, encode_delivery
from tables.messages.mail_jobs import Job, decode_job
from tables.messages.mail_kinds import MailKind
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner

CONSUMER = "mailer"
MOST = 100
AT_ONCE = 4
# A contact is captured a moment after the account was made; later than that something is down.
EARLY_S = 10.0
CONTACT_WAIT_S = 3_600.0
REFUSAL_WAIT_S = 24 * 3_600.0
PAUSE_S = 0.5
# What becomes of a mail that is neither sent nor given up, as the metrics name it.
LATER, DROPPED = "later", "dropped"
_CODE = re.compile(r"\b[45]\d\d\b")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """A job on its way to somebody."""

    message: Message
    job: Job
    contact: Contact


@dataclass(slots=True)
class Round:
    """What became of a batch: mails still to be sent (by account, in order), and what follows from the others."""

    waiting: deque[deque[Mail]] = field(default_factory=deque)
    early: list[tuple[Message, Job]] = field(default_factory=list)
    later: list[tuple[Message, Job]] = field(default_factory=list)
    told: list[tuple[Message, Job, DeliveryStatus]] = field(default_factory=list)
    letters: list[Record] = field(default_factory=list)
    put_off: list[MailKind] = field(default_factory=list)
    dropped: list[MailKind] = field(default_factory=list)

    def put_back(self, message: Message, job: Job) -> None:
        """The mail is to be tried again in a while."""
        self.later.append((message, job))
        self.put_off.append(job.kind)

    def give_up(self, message: Message, job: Job, error: Exception) -> None:
        """The mail will not be sent."""
        self.letters.append(letter(message, error))
        self.told.append((message, job, DeliveryStatus.FAILED))


class MailerAgent:
    """Sends what stands on ``notification-jobs``."""

    def __init__(self, app: App, contacts: ContactsAgent) -> None:
        self.app = app
        self.contacts = contacts
        self.post = Post(app.settings)
        self.composer = _composer(app.settings)
        add_agent(app, JOBS, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        readable, letters = sort_out(messages, decode_job)
        now = Round(letters=letters)
        groups: dict[bytes, deque[Mail]] = {}
        for message, job in readable:
            self._sort(message, job, now, groups)
        now.waiting.extend(groups.values())
        await patiently(self.app, lambda: self._deliver(now), doing="sending mail", passing=(ServerAway,))
        if len(now.early) == len(messages):
            await asyncio.sleep(PAUSE_S)
        await self._append(JOBS, [(message, _again(message, job)) for message, job in now.early])
        await self._append(RETRIES, [(message, _again(message, job)) for message, job in now.later])
        await self._append(
            DELIVERIES,
            [
                (message, Record(_key(job), encode_delivery(_delivery(job, status)), headers_from(message)))
                for message, job, status in now.told
            ],
        )
        await bury(self.app, CONSUMER, now.letters)
        self._count(now)

    def _count(self, now: Round) -> None:
        figures = self.app.figures
        figures.mails.update((job.kind.value, status.value) for _, job, status in now.told)
        figures.mails.update((kind.value, LATER) for kind in now.put_off)
        figures.mails.update((kind.value, DROPPED) for kind in now.dropped)

    def _sort(self, message: Message, job: Job, now: Round, groups: dict[bytes, deque[Mail]]) -> None:
        """Find out what is to become of a job."""
        account = str(job.account).encode()
        contact = self.contacts.find(message.partition, account)
        age = time.time() - first_seen(message)
        if contact is None and age < EARLY_S:
            now.early.append((message, job))
        elif contact is None and age < CONTACT_WAIT_S:
            now.put_back(message, job)
        elif contact is None:
            now.give_up(message, job, MalformedRecord(f"no such account: {job.account}"))
        elif not contact.email:
            log.info("the account is gone, no mail", extra=_told(message, job))
            now.dropped.append(job.kind)
        elif job.kind is MailKind.HOLD_ENDING and job.deadline and job.deadline.timestamp() <= time.time():
            log.info("the hold has ended, no reminder", extra=_told(message, job))
            now.dropped.append(job.kind)
        else:
            groups.setdefault(account, deque()).append(Mail(message, job, contact))

    async def _deliver(self, now: Round) -> None:
        """Send what is waiting, some at once. Raises ServerAway, and what was not sent is waiting still."""
        away: list[ServerAway] = []

        async def carry() -> None:
            while now.waiting and not away:
                group = now.waiting.popleft()
                try:
                    while group:
                        await self._send(group[0], now)
                        group.popleft()
                except ServerAway as error:
                    away.append(error)
                    now.waiting.appendleft(group)

        await asyncio.gather(*(carry() for _ in range(AT_ONCE)))
        if away:
            raise away[0]

    async def _send(self, mail: Mail, now: Round) -> None:
        try:
            await self.post.send(self.composer.compose(mail.job, mail.contact))
        except RefusedForNow as error:
            if time.time() - first_seen(mail.message) < REFUSAL_WAIT_S:
                log.info(
                    "refused for now (%s), will be tried again", code_in(error), extra=_told(mail.message, mail.job)
                )
                now.put_back(mail.message, mail.job)
            else:
                now.give_up(mail.message, mail.job, error)
        except (RefusedForEver, MalformedRecord) as error:
            now.give_up(mail.message, mail.job, error)
        else:
            now.told.append((mail.message, mail.job, DeliveryStatus.SENT))

    async def _append(self, topic: str, records: list[tuple[Message, Record]]) -> None:
        by_partition: dict[int, list[Record]] = {}
        for message, record in records:
            by_partition.setdefault(message.partition, []).append(record)
        for partition, group in by_partition.items():
            await append(self.app, topic, partition, group)


def _composer(settings: Settings) -> Composer:
    signer = TicketSigner(settings.ticket_key.get_secret_value().encode())
    return Composer(settings.mail_from, signer, MailLinks(settings.site_url, LinkSigner(settings.link_keys())))


def _again(message: Message, job: Job) -> Record:
    """The same job to be met again, with the time of its first coming."""
    others = [header for header in carried_headers(message) if header[0] != FIRST_SEEN]
    seen = b"%d" % round(first_seen(message) * 1000)
    return Record(_key(job), message.value, [*others, (FIRST_SEEN, seen)])


def _key(job: Job) -> bytes:
    return str(job.account).encode()


def code_in(error: Exception) -> str:
    """The code that a mail server gave; its words may name somebody."""
    found = _CODE.search(str(error))
    return found[0] if found else type(error).__name__


def _told(message: Message, job: Job) -> dict[str, object]:
    return about(message, job=job.id, event=job.event, purchase=job.purchase)


def _delivery(job: Job, status: DeliveryStatus) -> Delivery:
    return Delivery(job.id, job.kind, status, job.event, job.purchase, job.account, datetime.now(UTC))
