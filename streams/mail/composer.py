"""Composing mails: what a job says, as text and HTML, with a link, tickets that a gate can read and a calendar file.

Whatever people typed stands in texts and headers as plain text on one line; ``tables/mail/message.py`` writes headers.
"""

from collections.abc import Callable
from email.message import EmailMessage
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import segno
from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined

from streams.mail.addresses import address_of
from streams.mail.contacts import Contact
from streams.mail.i18n import Words, words_for
from streams.mail.ical import invitation, method_of
from tables.errors import MalformedRecord
from tables.mail.headers import MailHeader
from tables.mail.links import LinkLabel, MailLink, MailLinks
from tables.mail.message import new_mail, sender_of
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind, when_and_where
from tables.messages.outcomes import OutcomeLine
from tables.signing.tickets import Ticket, TicketSigner
from tables.text.sanitize import sanitize, sanitize_list

FOLDER: Final = Path(__file__).parent / "templates"
# A picture each would make a mail of hundreds of tickets too large; their codes are in the text.
MOST_PICTURES: Final = 50
# Any of the eight masks is valid; to find the prettiest takes most of the time.
MASK: Final = 3
SCALE: Final = 2
WITH_TICKETS: Final = frozenset({MailKind.CONFIRMED})


class Shown(NamedTuple):
    """A ticket as the templates show it; ``picture`` is its Content-ID, empty without one."""

    code: str
    label: str
    signed: str
    picture: str


class ShownLine(NamedTuple):
    """Tickets of one type as the templates show them."""

    text: str
    tickets: list[Shown]


class ShownLink(NamedTuple):
    """A link as the templates show it; ``note`` says what else it is good for, empty where that is nothing."""

    label: str
    address: str
    note: str


class Composer:
    """Makes mails from ``sender`` (an address, with or without a name)."""

    def __init__(self, sender: str, signer: TicketSigner, links: MailLinks) -> None:
        self._sender = sender_of(sender)
        self._signer = signer
        self._links = links

    def compose(self, job: Job, contact: Contact) -> EmailMessage:
        """The mail for ``job``. Raises MalformedRecord where something in it can't be told, or the address is none."""
        to = address_of(contact)
        try:
            return self._compose(job, contact, to)
        except Exception as error:  # whatever the job has that no template can show, no retry will help
            raise MalformedRecord(f"no mail can be made of the job: {type(error).__name__}") from error

    def _compose(self, job: Job, contact: Contact, to: str) -> EmailMessage:
        words = words_for(contact.locale)
        lines = self._lines(job, words)
        values = _values(job, contact, words) | {"lines": lines, "link": _link(self._links.of(job), words)}
        mail = new_mail(self._sender, to, values["subject"], job.at, str(job.id), name=contact.name)
        mail.set_content(_templates().text(**values))
        mail.add_alternative(_templates().html(**values), subtype="html")
        self._add_pictures(mail, lines)
        self._add_calendar(mail, job, to)
        return mail

    def _lines(self, job: Job, words: Words) -> list[ShownLine]:
        free = iter(range(MOST_PICTURES))
        signing = job.kind in WITH_TICKETS
        return [
            ShownLine(
                _line(line, words, job),
                [self._ticket(job, code, words, next(free, None)) for code in line.codes] if signing else [],
            )
            for line in job.lines
        ]

    def _ticket(self, job: Job, code: str, words: Words, number: int | None) -> Shown:
        signed = self._signer.sign(Ticket(job.event, code))
        picture = "" if number is None else f"{job.id}.{number}@{self._sender.domain}"
        return Shown(code, words.say("ticket", code=code), signed, picture)

    def _add_pictures(self, mail: EmailMessage, lines: list[ShownLine]) -> None:
        html: Any = mail.get_body(("html",))
        for line in lines:
            for ticket in line.tickets:
                if ticket.picture:
                    name, cid = f"{ticket.code}.png", MailHeader("Content-ID", f"<{ticket.picture}>")
                    html.add_related(
                        qr_code(ticket.signed), "image", "png", cid=cid, filename=name,
                        disposition="inline",
                    )  # fmt: skip

    def _add_calendar(self, mail: EmailMessage, job: Job, attendee: str) -> None:
        content = invitation(job, self._sender.address, attendee)
        if content is None:
            return
        method = method_of(job) or ""
        mail.add_alternative(content.decode(), subtype="calendar", params={"method": method})
        mail.add_attachment(content, "application", "ics", filename="event.ics")


def qr_code(text: str) -> bytes:
    """A PNG picture of the text, two pixels for each of its squares; it is shown at twice that."""
    picture = BytesIO()
    segno.make_qr(text, error="m", boost_error=False, mask=MASK).save(picture, kind="png", scale=SCALE)
    return picture.getvalue()


def _values(job: Job, contact: Contact, words: Words) -> dict[str, Any]:
    facts, name = job.facts, sanitize(contact.name)
    title = sanitize(facts.title)
    deadline = words.time(job.deadline, facts.time_zone) if job.deadline else ""
    postponed = job.kind is MailKind.EVENT_POSTPONED
    return {
        "language": words.language,
        "subject": words.say(f"{job.kind}.subject", title=title),
        "headline": words.say(f"{job.kind}.headline"),
        "hello": words.say("hello", name=name) if name else words.say("hello_nobody"),
        "message": words.say(f"{job.kind}.message", deadline=deadline),
        "title": title,
        "when": "" if postponed else words.time(facts.starts_at, facts.time_zone),
        "place": sanitize_list(facts.venue, facts.city),
        "before": _before(job, words),
        "before_label": words.say("before"),
        "total": words.say("total", amount=words.money(job.total.amount, job.total.currency)) if job.total else "",
        "left": [words.say("left", quantity=line.quantity, ticket=sanitize(line.name)) for line in job.left],
        "advice": words.say("gate") if job.kind in WITH_TICKETS and any(line.codes for line in job.lines) else "",
        "reference": words.say("reference", purchase=f"{job.event}.{job.purchase}"),
        "why": words.say("why"),
    }


def _link(link: MailLink, words: Words) -> ShownLink:
    note = words.say("links.keep") if link.label is LinkLabel.TICKETS else ""
    return ShownLink(words.say(f"links.{link.label}"), link.address, note)


def _line(line: OutcomeLine, words: Words, job: Job) -> str:
    price = words.money(line.price, job.total.currency) if job.total else ""
    return words.say("each", quantity=line.quantity, ticket=sanitize(line.name), price=price)


def _before(job: Job, words: Words) -> list[str]:
    """When and where it was to be, as far as that has changed; of a postponed event the time that holds no more."""
    if job.kind is MailKind.EVENT_POSTPONED:
        return [words.time(job.facts.starts_at, job.facts.time_zone)]
    if job.before is None or job.kind is not MailKind.EVENT_CHANGED:
        return []
    before = (words.time(job.before.starts_at, job.before.time_zone), sanitize_list(job.before.venue, job.before.city))
    after = (words.time(job.facts.starts_at, job.facts.time_zone), sanitize_list(job.facts.venue, job.facts.city))
    changed = [old for old, new in zip(before, after, strict=True) if old and old != new]
    return changed if when_and_where(job.before) != when_and_where(job.facts) else []


class Templates(NamedTuple):
    """The two forms of a mail."""

    text: Callable[..., str]
    html: Callable[..., str]


@cache
def _templates() -> Templates:
    """The templates. Their styles are put into the elements here, once: many mail readers drop a style sheet."""
    # In plain text escaping would show.
    text = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701
    html = Environment(undefined=StrictUndefined, autoescape=True)
    styled = CSSInliner(load_remote_stylesheets=False).inline((FOLDER / "mail.html").read_text(encoding="utf-8"))
    return Templates(
        text.from_string((FOLDER / "mail.txt").read_text(encoding="utf-8")).render, html.from_string(styled).render
    )
