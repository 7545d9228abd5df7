"""The link in a purchase's mail: what its reader may want to do next, without signing in."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Self
from uuid import UUID

from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.signing.links import LANGUAGE_PARAMETER, LinkKind, LinkSigner

PATHS: Final = {LinkKind.FINISH_HOLD: "/links/hold", LinkKind.SEE_PURCHASE: "/links/purchase"}
# How long after its event the link still shows a purchase.
PURCHASE_SHOWN_FOR: Final = timedelta(days=30)
# An event may be in the year 9999, the last one of datetime.
_LATEST: Final = datetime.max.replace(tzinfo=UTC) - PURCHASE_SHOWN_FOR
_HELD: Final = frozenset({MailKind.HELD, MailKind.HOLD_ENDING})
_UNPAID: Final = _HELD | {MailKind.PAYMENT_DECLINED}
_NO_LONGER_HELD: Final = frozenset({MailKind.EXPIRED, MailKind.HOLD_ENDED})
# These mails' lines are tickets that the purchase has; after others it only has those that are left.
_KEEPING: Final = frozenset({MailKind.CONFIRMED, MailKind.EVENT_CHANGED, MailKind.EVENT_POSTPONED})


class LinkedPurchase(NamedTuple):
    """The purchase that a link is for: the subject of its signature."""

    event: UUID
    purchase: UUID
    account: UUID

    @classmethod
    def read(cls, subject: bytes) -> Self:
        """Decode a link's subject."""
        return cls(*(UUID(bytes=subject[begin : begin + 16]) for begin in (0, 16, 32)))

    @property
    def subject(self) -> bytes:
        """The encoded purchase, 48 bytes."""
        return self.event.bytes + self.purchase.bytes + self.account.bytes


class LinkLabel(StrEnum):
    """The text of a link, by its key in the translations."""

    CONFIRM = "confirm"
    PAY = "pay"
    TICKETS = "tickets"
    PURCHASE = "purchase"
    EVENT = "event"
    PAYMENT = "payment"


class MailLink(NamedTuple):
    """A link as a mail shows it."""

    label: LinkLabel
    address: str


class MailLinks:
    """Makes the links in mails to the pages at ``site`` (an origin: scheme, host and port)."""

    def __init__(self, site: str, links: LinkSigner) -> None:
        self._site = site
        self._links = links

    def of(self, job: Job, language: str) -> MailLink:
        """The link of a job's mail in that language.

        It leads to the page where a hold is paid, or confirms it before its deadline, shows the organizer a disputed
        payment, and otherwise shows the purchase or the event.
        """
        if job.kind in _UNPAID and job.payment is not None:
            place = f"/purchases/{job.event}.{job.purchase}/payment"
            return MailLink(LinkLabel.PAY, f"{self._site}{place}?{LANGUAGE_PARAMETER}={language}")
        if job.kind is MailKind.DISPUTED:
            place = f"/organize/purchases/{job.event}.{job.purchase}"
            return MailLink(LinkLabel.PAYMENT, f"{self._site}{place}?{LANGUAGE_PARAMETER}={language}")
        if job.kind in _NO_LONGER_HELD:
            return MailLink(LinkLabel.EVENT, f"{self._site}/events/{job.event}?{LANGUAGE_PARAMETER}={language}")
        if job.kind in _HELD and job.deadline is not None:
            return MailLink(LinkLabel.CONFIRM, self._signed(LinkKind.FINISH_HOLD, job, job.deadline, language))
        ends = min(max(job.facts.ends_at, job.at), _LATEST) + PURCHASE_SHOWN_FOR
        label = LinkLabel.TICKETS if _has_tickets(job) else LinkLabel.PURCHASE
        return MailLink(label, self._signed(LinkKind.SEE_PURCHASE, job, ends, language))

    def _signed(self, kind: LinkKind, job: Job, expires: datetime, language: str) -> str:
        purchase = LinkedPurchase(job.event, job.purchase, job.account)
        signed = self._links.sign(kind, purchase.subject, expires)
        return f"{self._site}{PATHS[kind]}?{LANGUAGE_PARAMETER}={language}&link={signed}"


def _has_tickets(job: Job) -> bool:
    """Whether the purchase still has tickets.

    What is paid was confirmed before. A mail about a payment is the same whenever it is made, so the tickets of that
    moment don't count.
    """
    if job.kind is MailKind.PAID:
        return True
    return any(line.codes for line in (job.lines if job.kind in _KEEPING else job.left))
