"""The mails that the API sends itself, codes that confirm an address: handed over before the request is answered."""

import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Final

from api.problems import Unavailable, wrong
from settings import Settings

SERVER: Final = "mail"
TIMEOUT_S: Final = 5.0


class Post:
    """The SMTP server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, address: str, subject: str, text: str) -> None:
        """Hand over a mail. Raises Unavailable; Refused: invalid-input for an address that the server refuses."""
        mail = self._mail(address, subject, text)
        try:
            with smtplib.SMTP(self._settings.smtp_host, self._settings.smtp_port, timeout=TIMEOUT_S) as server:
                self._sign_in(server)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise wrong("/email", "the mail server does not take this address") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(SERVER) from error

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._settings.smtp_tls:
            server.starttls()
        if self._settings.smtp_user and self._settings.smtp_password:
            server.login(self._settings.smtp_user, self._settings.smtp_password.get_secret_value())

    def _mail(self, address: str, subject: str, text: str) -> EmailMessage:
        sender = self._settings.mail_from
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, address, subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail
