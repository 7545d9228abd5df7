"""Sends the mails about accounts by SMTP, before their request is answered."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from threading import BoundedSemaphore
from typing import Final
from uuid import uuid4

from aiosmtplib import SMTP, SMTPException, SMTPNotSupported, SMTPRecipientsRefused

from api.auth.account_mails import ComposedMail
from api.ports.mail import AccountMailer
from api.problems import Unavailable, wrong
from connect.client_options import PERMANENT_CODES, smtp_options
from settings import Settings
from tables.mail.headers import MailHeader
from tables.mail.message import new_mail, sender_of
from tables.text.email_addresses import smtp_address

SERVER: Final = "mail"
TIMEOUT_S: Final = 10.0  # in all: a thread of the API waits for it
GOODBYE_TIMEOUT_S: Final = 1.0
# While the mail server hangs, no more threads than these wait for it: sign-ins need them.
MAILS_AT_ONCE_MAX: Final = 32


class SmtpMailer(AccountMailer):
    """The SMTP server of the settings."""

    def __init__(self, settings: Settings, timeout_s: float = TIMEOUT_S, at_once_max: int = MAILS_AT_ONCE_MAX) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._room = BoundedSemaphore(at_once_max)

    def __call__(self, address: str, mail: ComposedMail) -> None:
        """Send a mail. Raises Unavailable; Refused: invalid-input for an address that the server refuses."""
        sender, to = sender_of(self._settings.mail_from), _recipient(address)
        message = new_mail(sender, to, mail.subject, datetime.now(UTC), uuid4().hex)
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        message["Content-Language"] = MailHeader("Content-Language", mail.language)
        if not self._room.acquire(blocking=False):
            raise Unavailable(SERVER)
        try:
            asyncio.run(self._send(message, sender.address, to))
        except (SMTPException, OSError, ValueError) as error:  # of a total time out, too; an answer that is none
            raise Unavailable(SERVER) from error
        finally:
            self._room.release()

    async def _send(self, message: EmailMessage, sender: str, to: str) -> None:
        server = SMTP(**smtp_options(self._settings, self._timeout_s))
        try:
            async with asyncio.timeout(self._timeout_s):
                await server.connect()
                await _hand_over(server, message, sender, to)
            with suppress(SMTPException, OSError, ValueError):  # the mail is sent, whatever comes now
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    await server.quit()
        finally:
            server.close()


def _recipient(address: str) -> str:
    try:
        return smtp_address(address)
    except ValueError as error:  # an address that was stored before the present check
        raise wrong("/email", "is not an address that mail can be sent to") from error


async def _hand_over(server: SMTP, message: EmailMessage, sender: str, to: str) -> None:
    """Raises Refused if the server will never accept the address; without SMTPUTF8 that may be due to its letters."""
    try:
        await server.send_message(message, sender=sender, recipients=[to])
    except (SMTPRecipientsRefused, SMTPNotSupported) as error:
        codes = [refusal.code for refusal in getattr(error, "recipients", [])]
        if not all(code in PERMANENT_CODES for code in codes):  # later, then: the server is busy, or greylists
            raise
        raise wrong("/email", "the mail server does not take this address") from error
