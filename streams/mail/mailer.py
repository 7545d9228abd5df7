"""The agent that sends mails: it finds a job's contact, composes the mail and sends it to the mail server.

It retries while the server is unavailable. A mail that is temporarily refused, or has no contact yet, is postponed and
delays no other. The mails to one account are sent in order.
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
from streams.mail.smtp import PermanentlyRefused, ServerUnavailable, SmtpClient, TemporarilyRefused
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, decode_batch, is_interrupted, with_retries
from streams.runtime.headers import FIRST_SEEN, first_seen, forwarded_headers
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import log_fields, trace_headers
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.mail.links import MailLinks
from tables.messages.deliveries import Delivery, DeliveryStatus, encode_delivery
from tables.messages.mail_jobs import Job, decode_job
from tables.messages.mail_kinds import MailKind
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner

CONSUMER = "mailer"
BATCH_MAX_RECORDS = 100
CONNECTIONS = 4
# A contact is captured shortly after its account is created; a longer wait means that capture is down.
CONTACT_GRACE_S = 10.0
CONTACT_WAIT_S = 3_600.0
REFUSAL_WAIT_S = 24 * 3_600.0
PAUSE_S = 0.5
# The results of mails that are neither sent nor failed, in the metrics.
LATER, DROPPED = "later", "dropped"
_CODE = re.compile(r"\b[45]\d\d\b")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddressedJob:
    """A job with its contact."""

    message: Message
    job: Job
    contact: Contact


@dataclass(slots=True)
class MailBatch:
    """The state of a batch: mails still to send (grouped by account, in order), and what the others became.

    ``early`` jobs have no contact yet and are tried again at once, ``postponed`` ones after a pause.
    """

    unsent: deque[deque[AddressedJob]] = field(default_factory=deque)
    early: list[tuple[Message, Job]] = field(default_factory=list)
    postponed: list[tuple[Message, Job]] = field(default_factory=list)
    dropped: list[MailKind] = field(default_factory=list)
    results: list[tuple[Message, Job, DeliveryStatus]] = field(default_factory=list)
    dead_letters: list[Record] = field(default_factory=list)

    def fail(self, message: Message, job: Job, error: Exception) -> None:
        """The mail will not be sent."""
        self.dead_letters.append(dead_letter(message, error))
        self.results.append((message, job, DeliveryStatus.FAILED))


class MailerAgent:
    """Sends the mails of ``notification-jobs``."""

    def __init__(self, app: App, contacts: ContactsAgent, pause_s: float = PAUSE_S) -> None:
        self.app = app
        self.contacts = contacts
        self.smtp = SmtpClient(app.settings)
        self.composer = _composer(app.settings)
        self._pause_s = pause_s
        # What is repeated goes out twice.
        app.add_agent(JOBS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS, commit_each=True)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, decode_job)
        batch = MailBatch(dead_letters=dead_letters)
        groups: dict[bytes, deque[AddressedJob]] = {}
        for message, job in decoded:
            self._sort(message, job, batch, groups)
        batch.unsent.extend(groups.values())
        await self._deliver_with_retries(batch)
        if len(batch.early) == len(messages):
            await asyncio.sleep(self._pause_s)
        await append_keyed(self.app, JOBS, [_again(message, job) for message, job in batch.early])
        await append_keyed(self.app, RETRIES, [_again(message, job) for message, job in batch.postponed])
        await append_keyed(self.app, DELIVERIES, [_delivery(*result) for result in batch.results])
        await send_to_dead_letters(self.app, CONSUMER, batch.dead_letters)
        self._count(batch)

    def _count(self, batch: MailBatch) -> None:
        mails = self.app.counters.mails
        mails.update((job.kind.value, status.value) for _, job, status in batch.results)
        mails.update((job.kind.value, LATER) for _, job in batch.postponed)
        mails.update((kind.value, DROPPED) for kind in batch.dropped)

    def _sort(self, message: Message, job: Job, batch: MailBatch, groups: dict[bytes, deque[AddressedJob]]) -> None:
        """Decide whether a mail is sent now, later or never."""
        account = id_bytes(job.account)
        contact = self.contacts.find(message.partition, account)
        age_s = time.time() - first_seen(message)
        if contact is None and age_s < CONTACT_GRACE_S:
            batch.early.append((message, job))
        elif contact is None and age_s < CONTACT_WAIT_S:
            batch.postponed.append((message, job))
        elif contact is None:
            batch.fail(message, job, MalformedRecord(f"no such account: {job.account}"))
        elif not contact.email:
            log.info("the account is deleted, no mail", extra=_log_fields(message, job))
            batch.dropped.append(job.kind)
        elif job.kind is MailKind.HOLD_ENDING and job.deadline and job.deadline.timestamp() <= time.time():
            log.info("the hold has ended, no reminder", extra=_log_fields(message, job))
            batch.dropped.append(job.kind)
        else:
            groups.setdefault(account, deque()).append(AddressedJob(message, job, contact))

    async def _deliver_with_retries(self, batch: MailBatch) -> None:
        """Deliver, however long the mail server is unavailable. Raises Interrupted if nothing was sent by then."""
        try:
            await with_retries(
                self.app, lambda: self._deliver(batch), doing="sending mail", transient=(ServerUnavailable,)
            )
        except Interrupted:
            if not batch.results:
                raise
            # Given up, the batch would be sent again as a whole.
            batch.postponed += [(mail.message, mail.job) for group in batch.unsent for mail in group]

    async def _deliver(self, batch: MailBatch) -> None:
        """Send the unsent mails, over several connections. Raises ServerUnavailable; what was not sent stays unsent."""
        errors: list[ServerUnavailable] = []

        async def deliver_groups() -> None:
            while batch.unsent and not errors:
                group = batch.unsent.popleft()
                try:
                    while group and not is_interrupted(self.app):
                        await self._send(group[0], batch)
                        group.popleft()
                    # A rebalance goes on without a worker that is late, and its mails are sent twice.
                    batch.postponed += [(mail.message, mail.job) for mail in group]
                except ServerUnavailable as error:
                    errors.append(error)
                    batch.unsent.appendleft(group)

        await asyncio.gather(*(deliver_groups() for _ in range(CONNECTIONS)))
        if errors:
            raise errors[0]

    async def _send(self, mail: AddressedJob, batch: MailBatch) -> None:
        message, job = mail.message, mail.job
        try:
            await self.smtp.send(self.composer.compose(job, mail.contact))
        except TemporarilyRefused as error:
            if time.time() - first_seen(message) < REFUSAL_WAIT_S:
                log.info("temporarily refused (%s), sent again later", code_in(error), extra=_log_fields(message, job))
                batch.postponed.append((message, job))
            else:
                batch.fail(message, job, error)
        except (PermanentlyRefused, MalformedRecord) as error:
            batch.fail(message, job, error)
        else:
            batch.results.append((message, job, DeliveryStatus.SENT))


def _composer(settings: Settings) -> Composer:
    signer = TicketSigner(settings.ticket_key.get_secret_value().encode())
    return Composer(settings.mail_from, signer, MailLinks(settings.site_url, LinkSigner(settings.link_keys())))


def _again(message: Message, job: Job) -> Record:
    """The same job as another record, with the time at which it was first handled."""
    others = [header for header in forwarded_headers(message) if header[0] != FIRST_SEEN]
    seen = b"%d" % round(first_seen(message) * 1000)
    return Record(id_bytes(job.account), message.value, [*others, (FIRST_SEEN, seen)])


def code_in(error: Exception) -> str:
    """The code of a mail server's answer; its text may contain personal data."""
    found = _CODE.search(str(error))
    return found[0] if found else type(error).__name__


def _log_fields(message: Message, job: Job) -> dict[str, object]:
    return log_fields(message, job=job.id, event=job.event, purchase=job.purchase)


def _delivery(message: Message, job: Job, status: DeliveryStatus) -> Record:
    delivery = Delivery(job.id, job.kind, status, job.event, job.purchase, job.account, datetime.now(UTC))
    return Record(id_bytes(job.account), encode_delivery(delivery), trace_headers(message))
