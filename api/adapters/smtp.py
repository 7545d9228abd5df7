"""Sends the mails about accounts by SMTP, before their request is answered."""

import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final
from uuid import uuid4

from api.auth.account_mails import ComposedMail
from api.problems import Unavailable, wrong
from settings import Settings
from tables.mail.headers import MailHeader
from tables.mail.message import new_mail, sender_of
from tables.text.smtp_addresses import smtp_address

SERVER: Final = "mail"
TIMEOUT_S: Final = 5.0
PERMANENT_CODES: Final = range(500, 600)


class SmtpMailer:
    """The SMTP server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, address: str, mail: ComposedMail) -> None:
        """Send a mail. Raises Unavailable; Refused: invalid-input for an address that the server refuses."""
        sender, to = sender_of(self._settings.mail_from), _recipient(address)
        message = new_mail(sender, to, mail.subject, datetime.now(UTC), uuid4().hex)
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        message["Content-Language"] = MailHeader("Content-Language", mail.language)
        try:
            with smtplib.SMTP(self._settings.smtp_host, self._settings.smtp_port, timeout=TIMEOUT_S) as server:
                self._sign_in(server)
                _send(server, message, sender.address, to)
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(SERVER) from error

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._settings.smtp_tls:
            server.starttls()
        if self._settings.smtp_user and self._settings.smtp_password:
            server.login(self._settings.smtp_user, self._settings.smtp_password.get_secret_value())


def _recipient(address: str) -> str:
    try:
        return smtp_address(address)
    except ValueError as error:  # an address that was stored before the present check
        raise wrong("/email", "is no address that a mail can be sent to") from error


def _send(server: smtplib.SMTP, message: EmailMessage, sender: str, to: str) -> None:
    """Raises Refused if the server will never accept the address; without SMTPUTF8 that may be due to its letters."""
    try:
        server.send_message(message, sender, [to])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        codes = [code for code, _ in getattr(error, "recipients", {}).values()]
        if not all(code in PERMANENT_CODES for code in codes):  # later, then: the server is busy, or greylists
            raise
        raise wrong("/email", "the mail server does not take this address") from error
