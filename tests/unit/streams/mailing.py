"""Jobs, contacts and a composer for the tests of mails."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from streams.mail.composer import Composer
from streams.mail.contacts import Contact
from tables.ids import TicketCodes
from tables.mail.links import MailLinks
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import EventFacts, MoneyAmount, OutcomeLine
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner

EVENT, PURCHASE, ACCOUNT, TYPE = (UUID(int=number) for number in range(1, 5))
KEY = b"k" * 32
CODES = tuple(TicketCodes(KEY).code(EVENT, PURCHASE, number) for number in range(2))
FACTS = EventFacts(
    title="Winterreise",
    status="ACTIVE",
    starts_at=datetime(2030, 5, 17, 18, tzinfo=UTC),
    ends_at=datetime(2030, 5, 17, 20, tzinfo=UTC),
    time_zone="Europe/Vienna",
    venue="Konzerthaus",
    city="Wien",
    version=3,
)
LINES = (OutcomeLine(TYPE, "Parkett", 2, Decimal("49.90"), CODES),)
HELD_LINES = (OutcomeLine(TYPE, "Parkett", 2, Decimal("49.90")),)
ADA = Contact(1, "Ada Byron", "ada@buyer.example", "en")
SIGNER = TicketSigner(KEY)
LINK_KEY = "4f8kQm2xVb7nRt5wYc9d-Hj3sLp6zGq1"
LINKS = LinkSigner([LINK_KEY])
MAIL_LINKS = MailLinks("https://tickets.example", LINKS)
COMPOSER = Composer("Turnstile <tickets@turnstile.example>", SIGNER, MAIL_LINKS)


def job(kind: MailKind = MailKind.CONFIRMED, **more: Any) -> Job:
    fields: dict[str, Any] = {
        "id": UUID(int=99),
        "account": ACCOUNT,
        "event": EVENT,
        "purchase": PURCHASE,
        "at": datetime(2030, 1, 1, 12, tzinfo=UTC),
        "facts": FACTS,
        "lines": LINES,
        "total": MoneyAmount(Decimal("99.80"), "EUR"),
        "deadline": datetime(2030, 1, 1, 12, 10, tzinfo=UTC),
    }
    return Job(kind=kind, **(fields | more))
