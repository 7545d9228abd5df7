"""The text of a mail: what an outcome says, in the event's own time, safe to put into headers."""

from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as words_of_time
from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from streams.contacts import Contact
from tables.errors import MalformedRecord
from tables.jobs import Job
from tables.outcomes import OutcomeKind

LANGUAGE = "en"

SUBJECTS = {
    OutcomeKind.CONFIRMED: "Your tickets for {}",
    OutcomeKind.HELD: "Held for you: {}",
    OutcomeKind.CANCELLED: "Cancelled: {}",
    OutcomeKind.EXPIRED: "No longer held: {}",
    OutcomeKind.REFUNDED: "Refund: {}",
}


def compose(job: Job, contact: Contact, sender: str) -> EmailMessage:
    """The mail for ``job``. Raises MalformedRecord where the outcome lacks what a mail must say."""
    facts, total = job.outcome.facts, job.outcome.total
    if facts is None or total is None:
        raise MalformedRecord("the outcome has no facts or no total: `$.outcome`")
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{job.id}@{parseaddr(sender)[1].partition('@')[2]}>"
    mail["Date"] = format_datetime(job.outcome.at)
    mail["From"] = sender
    mail["To"] = contact.email
    mail["Subject"] = _one_line(SUBJECTS[job.kind].format(facts.title))
    mail["Auto-Submitted"] = "auto-generated"
    deadline = job.outcome.deadline
    mail.set_content(
        _template().render(
            job=job,
            contact=contact,
            starts=_time(facts.starts_at, facts.time_zone),
            deadline=_time(deadline, facts.time_zone) if deadline else "",
            money=lambda amount: _money(amount, total.currency),
        )
    )
    return mail


@cache
def _template() -> Template:
    folder = Path(__file__).parent / "templates"
    # The only template is plain text, where escaping would show.
    environment = Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    return environment.get_template("mail.txt")


def _time(moment: datetime, zone: str) -> str:
    local = words_of_time(moment, "full", tzinfo=ZoneInfo(zone), locale=LANGUAGE)
    return f"{local} ({zone})"


def _money(amount: Decimal, currency: str) -> str:
    return str(format_currency(amount, currency, locale=LANGUAGE))


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
