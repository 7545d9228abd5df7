"""How every mail begins: from whom, to whom, what about and when. Each header is written by tables/mail/headers.py."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

from tables.mail.headers import MailHeader, mailbox_header, text_header
from tables.text.email_addresses import smtp_address


class Sender(NamedTuple):
    """Who sends mails: the address as mail servers get it, and the header From."""

    address: str
    header: MailHeader

    @property
    def domain(self) -> str:
        """The domain, in ASCII."""
        return self.address.rpartition("@")[2]


def sender_of(text: str) -> Sender:
    """The sender by an address, with or without a name. Raises ValueError where there is none."""
    name, address = parseaddr(text)
    address = smtp_address(address)
    return Sender(address, mailbox_header("From", name, address))


def new_mail(sender: Sender, to: str, subject: str, at: datetime, number: str, *, name: str = "") -> EmailMessage:
    """A mail without content. ``to`` is as mail servers get it, ``number`` is what no other mail of the sender has."""
    mail = EmailMessage(policy=SMTP.clone(utf8=not (sender.address + to).isascii()))
    mail["Message-ID"] = MailHeader("Message-ID", f"<{number}@{sender.domain}>")
    mail["Date"] = format_datetime(at)
    mail["From"] = sender.header
    mail["To"] = mailbox_header("To", name, to)
    mail["Subject"] = text_header("Subject", subject)
    mail["Auto-Submitted"] = "auto-generated"
    return mail
