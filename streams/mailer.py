"""The agent that sends mails: a job meets its contact, becomes a mail, goes to the SMTP server.

A server that is down or refuses for now is waited out. Mail never delays a decision: it is an agent of its own.
"""

import asyncio
import logging
import time

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from faust.types import Message, StreamT

from connect.topics import JOBS
from streams.app import App, raw_topic
from streams.append import Record, append
from streams.batches import in_batches
from streams.contacts import Contact, ContactsAgent
from streams.deadletters import bury, headers_of, letter, sort_out
from streams.letters import compose
from streams.patience import patiently
from tables.errors import MalformedRecord
from tables.jobs import Job, decode_job

CONSUMER = "mailer"
MOST = 100
TIMEOUT_S = 15.0
CONTACT_WAIT_S = 120.0
PAUSE_S = 0.5
FIRST_SEEN = "first-seen"
FOR_EVER = 500

log = logging.getLogger(__name__)


class NotNow(Exception):
    """The mail server is away, or refuses for the time being."""


class MailerAgent:
    """Sends what stands on ``notification-jobs``."""

    def __init__(self, app: App, contacts: ContactsAgent) -> None:
        self.app = app
        self.contacts = contacts
        self._server: SMTP | None = None
        app.agent(raw_topic(app, JOBS), name=CONSUMER, concurrency=1)(self._send_all)

    async def _send_all(self, stream: StreamT[bytes]) -> None:
        await in_batches(stream, self._handle, busy=self.app.busy, most=MOST, name=CONSUMER)

    async def _handle(self, messages: list[Message]) -> None:
        readable, letters = sort_out(messages, decode_job)
        early: dict[int, list[Record]] = {}
        for message, job in readable:
            contact = self.contacts.find(message.partition, str(job.account).encode())
            try:
                if contact is not None:
                    await self._deliver(job, contact)
                elif time.time() - first_seen(message) < CONTACT_WAIT_S:
                    early.setdefault(message.partition, []).append(_again(message))
                else:
                    raise MalformedRecord(f"no such account: {job.account}")
            except (MalformedRecord, SMTPException) as error:
                letters.append(letter(message, error))
        await self._put_back(early, alone=len(messages) == sum(len(records) for records in early.values()))
        await bury(self.app, CONSUMER, letters)

    async def _deliver(self, job: Job, contact: Contact) -> None:
        if not contact.email:
            log.info("job %s: the account is gone, no mail", job.id)
            return
        mail = compose(job, contact, self.app.settings.mail_from)

        async def attempt() -> None:
            try:
                await (await self._connected()).send_message(mail)
            except (SMTPException, OSError) as error:
                if _refused_for_ever(error):
                    raise
                raise NotNow(str(error)) from error

        await patiently(self.app, attempt, doing="sending mail", passing=(NotNow,))

    async def _put_back(self, early: dict[int, list[Record]], *, alone: bool) -> None:
        """Jobs that came before their contact go to the end of their partition, and delay nobody."""
        if alone:
            await asyncio.sleep(PAUSE_S)
        for partition, records in early.items():
            await append(self.app, JOBS, partition, records)

    async def _connected(self) -> SMTP:
        if self._server is None or not self._server.is_connected:
            settings = self.app.settings
            password = settings.smtp_password
            self._server = SMTP(
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=password.get_secret_value() if password else None,
                start_tls=settings.smtp_tls,
                timeout=TIMEOUT_S,
            )
            await self._server.connect()
        return self._server


def first_seen(message: Message) -> float:
    """When a job came first (seconds since 1970), however often it was put back."""
    seen = dict(headers_of(message)).get(FIRST_SEEN)
    return message.timestamp if seen is None else int(seen) / 1000


def _again(message: Message) -> Record:
    """The same job to be met again, with the time of its first coming."""
    others = [header for header in headers_of(message) if header[0] != FIRST_SEEN]
    return Record(message.key, message.value, [*others, (FIRST_SEEN, b"%d" % round(first_seen(message) * 1000))])


def _refused_for_ever(error: Exception) -> bool:
    """Whether the server said no to this mail or its recipient with a permanent code (RFC 5321, 5yz)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(refusal.code >= FOR_EVER for refusal in error.recipients)
    return isinstance(error, (SMTPDataError, SMTPSenderRefused)) and error.code >= FOR_EVER
