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
from streams.append import Record
from streams.batches import in_batches
from streams.contacts import Contact, ContactsAgent
from streams.deadletters import bury, letter
from streams.letters import compose
from streams.patience import interrupt, patiently
from tables.errors import MalformedRecord
from tables.jobs import Job, decode_job

CONSUMER = "mailer"
MOST = 100
TIMEOUT_S = 15.0
CONTACT_WAIT_S = 30.0
LOOK_S = 0.1
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
        letters: list[Record] = []
        for message in messages:
            try:
                await self._deliver(message)
            except (MalformedRecord, SMTPException) as error:
                letters.append(letter(message, error))
        await bury(self.app, CONSUMER, letters)

    async def _deliver(self, message: Message) -> None:
        job = decode_job(message.value)
        contact = await self._contact(message, job)
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

    async def _contact(self, message: Message, job: Job) -> Contact:
        """The account's contact; it may arrive a little later than the job."""
        while True:
            contact = self.contacts.find(message.partition, str(job.account).encode())
            if contact is not None:
                return contact
            if time.time() - message.timestamp > CONTACT_WAIT_S:
                raise MalformedRecord(f"no such account: {job.account}")
            interrupt(self.app)
            await asyncio.sleep(LOOK_S)

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


def _refused_for_ever(error: Exception) -> bool:
    """Whether the server said no to this mail or its recipient with a permanent code (RFC 5321, 5yz)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(refusal.code >= FOR_EVER for refusal in error.recipients)
    return isinstance(error, (SMTPDataError, SMTPSenderRefused)) and error.code >= FOR_EVER
