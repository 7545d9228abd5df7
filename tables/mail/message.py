"""The headers of every mail: sender, recipient, subject, date and id, encoded by tables/mail/headers.py."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

from tables.mail.headers import MailHeader, mailbox_header, text_header
from tables.text.email_addresses import smtp_address


class Sender(NamedTuple):
    """The sender of mails: the address for the SMTP envelope, and the header From."""

    address: str
    header: MailHeader

    @property
    def domain(self) -> str:
        """The domain, in ASCII."""
        return self.address.rpartition("@")[2]


def sender_of(text: str) -> Sender:
    """Parse a sender's address, with or without a name. Raises ValueError."""
    name, address = parseaddr(text)
    address = smtp_address(address)
    return Sender(address, mailbox_header("From", name, address))


def new_mail(sender: Sender, to: str, subject: str, at: datetime, number: str, *, name: str = "") -> EmailMessage:
    """A mail without content, to an address in SMTP form (``smtp_address``). ``number`` makes the Message-ID unique."""
    mail = EmailMessage(policy=SMTP.clone(utf8=not (sender.address + to).isascii()))
    mail["Message-ID"] = MailHeader("Message-ID", f"<{number}@{sender.domain}>")
    mail["Date"] = format_datetime(at)
    mail["From"] = sender.header
    mail["To"] = mailbox_header("To", name, to)
    mail["Subject"] = text_header("Subject", subject)
    mail["Auto-Submitted"] = "auto-generated"
    return mail
