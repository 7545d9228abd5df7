"""Composing a job's mail: text and HTML, with a link, tickets as QR codes, and a calendar file.

User input is inserted as plain text on one line; ``tables/mail/message.py`` writes the headers.
"""

from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from functools import cache
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple

import segno
from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined

from streams.mail.contacts import Contact, address_of
from streams.mail.i18n import Translator, translator_for
from streams.mail.ical import invitation, method_of
from streams.mail.texts import MailText, event_note, link_text, mail_text, partly_cancelled, why_text
from tables.errors import MalformedRecord
from tables.mail.headers import MailHeader
from tables.mail.links import LinkLabel, MailLink, MailLinks
from tables.mail.message import new_mail, sender_of
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind, when_and_where
from tables.messages.outcomes import OutcomeLine
from tables.signing.tickets import Ticket, TicketSigner
from tables.text.sanitize import sanitize, sanitize_list
from translations.holder_texts import calendar_notes, seat_text

FOLDER: Final = Path(__file__).parent / "templates"
# Bounds the size of a mail with hundreds of tickets; the text has all codes.
QR_CODES_MAX: Final = 50
# Any of the eight masks is valid; choosing the best takes most of the time.
QR_MASK: Final = 3
QR_SCALE_PIXELS: Final = 2
WITH_TICKETS: Final = frozenset({MailKind.CONFIRMED})
TO_PAY: Final = frozenset({MailKind.HELD, MailKind.HOLD_ENDING})


class ShownTicket(NamedTuple):
    """A ticket for the templates; ``picture`` is the Content-ID of its QR code, empty without one; so is ``seat``."""

    code: str
    label: str
    seat: str
    signed: str
    picture: str


class ShownLine(NamedTuple):
    """The tickets of one type, for the templates."""

    text: str
    tickets: list[ShownTicket]


class ShownLink(NamedTuple):
    """A link for the templates; ``note`` may be empty."""

    label: str
    address: str
    note: str


class Composer:
    """Composes mails from ``sender``, an address with or without a name."""

    def __init__(self, sender: str, signer: TicketSigner, links: MailLinks) -> None:
        self._sender = sender_of(sender)
        self._signer = signer
        self._links = links

    def compose(self, job: Job, contact: Contact) -> EmailMessage:
        """The mail for ``job``. Raises MalformedRecord where that can't be composed, or the address is invalid."""
        to = address_of(contact)
        try:
            return self._compose(job, contact, to)
        except Exception as error:  # the job has what no template can show: no retry helps
            raise MalformedRecord(f"the mail can't be composed: {type(error).__name__}") from error

    def _compose(self, job: Job, contact: Contact, to: str) -> EmailMessage:
        texts = translator_for(contact.locale)
        lines = self._lines(job, texts)
        values = _values(job, contact, texts) | {
            "lines": lines,
            "link": _link(self._links.of(job, texts.language), texts),
        }
        mail = new_mail(self._sender, to, values["subject"], job.at, str(job.id), name=contact.name)
        mail.set_content(_templates().text(**values))
        mail.add_alternative(_templates().html(**values), subtype="html")
        self._add_pictures(mail, lines)
        self._add_calendar(mail, job, to, texts.language)
        return mail

    def _lines(self, job: Job, texts: Translator) -> list[ShownLine]:
        free = iter(range(QR_CODES_MAX))
        signing = job.kind in WITH_TICKETS
        return [
            ShownLine(
                _line(line, texts, job),
                [self._ticket(job, code, texts, next(free, None), seat) for code, seat in _coded(line, texts)]
                if signing
                else [],
            )
            for line in job.lines
        ]

    def _ticket(self, job: Job, code: str, texts: Translator, number: int | None, seat: str) -> ShownTicket:
        signed = self._signer.sign(Ticket(job.event, code))
        picture = "" if number is None else f"{job.id}.{number}@{self._sender.domain}"
        return ShownTicket(code, texts.gettext("Ticket {code}").format(code=code), seat, signed, picture)

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

    def _add_calendar(self, mail: EmailMessage, job: Job, attendee: str, language: str) -> None:
        content = invitation(job, self._sender.address, attendee, language)
        if content is None:
            return
        method = method_of(job) or ""
        mail.add_alternative(content.decode(), subtype="calendar", params={"method": method})
        mail.add_attachment(content, "application", "ics", filename="event.ics")


def qr_code(text: str) -> bytes:
    """A QR code as PNG, with two pixels a module; the mail shows it at twice that size."""
    picture = BytesIO()
    segno.make_qr(text, error="m", boost_error=False, mask=QR_MASK).save(picture, kind="png", scale=QR_SCALE_PIXELS)
    return picture.getvalue()


def _values(job: Job, contact: Contact, texts: Translator) -> dict[str, Any]:
    facts, name = job.facts, sanitize(contact.name)
    title = sanitize(facts.title)
    deadline = texts.time(job.deadline, facts.time_zone) if job.deadline else ""
    starts = texts.time(facts.starts_at, facts.time_zone)
    moments = {"deadline": deadline, "starts": starts}
    gone = sum(line.quantity for line in job.lines)
    said = _text(job, texts, gone)
    return {
        "language": texts.language,
        "subject": said.subject.format(title=title),
        "headline": said.headline,
        "hello": texts.gettext("Hello {name},").format(name=name) if name else texts.gettext("Hello,"),
        "message": " ".join([said.message.format(**moments, amount=_amount(job, texts)), *_notes(job, texts)]),
        "title": title,
        "when": "" if job.kind is MailKind.EVENT_POSTPONED else starts,
        "place": sanitize_list(facts.venue, facts.city),
        "before": _before(job, texts),
        "before_label": texts.gettext("Before:"),
        "total": _total(job, texts),
        "payment": _payment(job, texts),
        "left": [_left(line, texts) for line in job.left],
        "advice": _advice(job, texts),
        "reference": texts.gettext("Order {purchase}").format(purchase=f"{job.event}.{job.purchase}"),
        "why": why_text(job.kind, texts, gone),
    }


def _text(job: Job, texts: Translator, gone: int) -> MailText:
    if job.kind is MailKind.CANCELLED and job.left:
        # Given back from a hold, they were never sold.
        return partly_cancelled(texts, gone, job.returned or gone, job.tickets_left)
    return mail_text(job.kind, texts, gone)


def _notes(job: Job, texts: Translator) -> list[str]:
    """What a mail about a purchase says besides its news, in the words of the pages."""
    if job.kind in TO_PAY and job.payment:
        return [texts.gettext("To pay: {amount}.").format(amount=_amount(job, texts))]
    if job.kind is not MailKind.CONFIRMED:
        return []
    note = event_note(job, texts)
    return calendar_notes(texts.language, returned=job.returned, left=job.tickets_left, event_note=note)


def _link(link: MailLink, texts: Translator) -> ShownLink:
    note = texts.gettext(
        "You can also have the tickets sent to you again there. Anyone who has the link can see them, so don’t share "
        "it."
    )
    return ShownLink(link_text(link.label, texts), link.address, note if link.label is LinkLabel.TICKETS else "")


def _coded(line: OutcomeLine, texts: Translator) -> Iterator[tuple[str, str]]:
    """The codes of a line, each with where its seat is."""
    return zip_longest(line.codes, _seats(line, texts)[: len(line.codes)], fillvalue="")


def _seats(line: OutcomeLine, texts: Translator) -> list[str]:
    return [sanitize(seat_text(texts.language, seat)) for seat in line.seats]


def _line(line: OutcomeLine, texts: Translator, job: Job) -> str:
    price = texts.money(line.price, job.total.currency) if job.total else ""
    text = texts.ngettext("{quantity} × {ticket}, {price}", "{quantity} × {ticket}, {price} each", line.quantity)
    said = text.format(quantity=line.quantity, ticket=sanitize(line.name), price=price)
    return said if job.kind in WITH_TICKETS else _with_seats(said, line, texts)


def _left(line: OutcomeLine, texts: Translator) -> str:
    text = texts.ngettext("Still valid: {quantity} × {ticket}", "Still valid: {quantity} × {ticket}", line.quantity)
    return _with_seats(text.format(quantity=line.quantity, ticket=sanitize(line.name)), line, texts)


def _with_seats(text: str, line: OutcomeLine, texts: Translator) -> str:
    return f"{text}: {'; '.join(_seats(line, texts))}" if line.seats else text


def _total(job: Job, texts: Translator) -> str:
    if not job.total:
        return ""
    return texts.gettext("Total: {amount}").format(amount=texts.money(job.total.amount, job.total.currency))


def _amount(job: Job, texts: Translator) -> str:
    return texts.money(job.payment.amount, job.payment.currency) if job.payment else ""


def _payment(job: Job, texts: Translator) -> list[str]:
    """The facts of a receipt, of a refund and of a dispute: when, how much, and the provider's reference."""
    if job.kind not in _MOVED:
        return []
    when = texts.time(job.at, job.facts.time_zone)
    facts = [_MOVED[job.kind](texts).format(amount=_amount(job, texts), when=when)]
    if job.payment_reference:
        facts.append(texts.gettext("Payment reference: {reference}").format(reference=sanitize(job.payment_reference)))
    return facts


_MOVED: Final[Mapping[MailKind, Callable[[Translator], str]]] = {
    MailKind.PAID: lambda texts: texts.gettext("Paid: {amount}, {when}"),
    MailKind.PAID_BACK: lambda texts: texts.gettext("Refunded: {amount}, {when}"),
    MailKind.DISPUTED: lambda texts: texts.gettext("Disputed: {amount}, {when}"),
}


def _advice(job: Job, texts: Translator) -> str:
    """What to do at the gate, in mails with tickets."""
    if job.kind not in WITH_TICKETS or not any(line.codes for line in job.lines):
        return ""
    return texts.gettext(
        "Show the ticket’s code at the entrance, on paper or on a screen. It is valid for one entry, so don’t share it."
    )


def _before(job: Job, texts: Translator) -> list[str]:
    """The old time and place, where they have changed."""
    if job.before is None or job.kind is not MailKind.EVENT_CHANGED:
        return []
    before = (
        texts.time(job.before.starts_at, job.before.time_zone),
        sanitize_list(job.before.venue, job.before.city),
    )
    after = (texts.time(job.facts.starts_at, job.facts.time_zone), sanitize_list(job.facts.venue, job.facts.city))
    changed = [old for old, new in zip(before, after, strict=True) if old and old != new]
    return changed if when_and_where(job.before) != when_and_where(job.facts) else []


class Templates(NamedTuple):
    """The templates of a mail's two parts."""

    text: Callable[..., str]
    html: Callable[..., str]


@cache
def _templates() -> Templates:
    """The templates, with inlined styles, since many mail clients drop style sheets."""
    # Plain text must not be escaped.
    text = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701
    html = Environment(undefined=StrictUndefined, autoescape=True)
    styled = CSSInliner(load_remote_stylesheets=False).inline((FOLDER / "mail.html").read_text(encoding="utf-8"))
    return Templates(
        text.from_string((FOLDER / "mail.txt").read_text(encoding="utf-8")).render, html.from_string(styled).render
    )
