"""The link of a purchase's mail: the one thing that its reader may want to do next, without signing in."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Self
from uuid import UUID

from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.signing.links import LinkKind, Links

PATHS: Final = {LinkKind.FINISH_HOLD: "/links/hold", LinkKind.SEE_PURCHASE: "/links/purchase"}
# How long after its event a purchase is still shown to who has the link.
SHOWN_AFTERWARDS: Final = timedelta(days=30)
# An event may be in the year 9999, and no time comes after that.
_LATEST: Final = datetime.max.replace(tzinfo=UTC) - SHOWN_AFTERWARDS
_HELD: Final = frozenset({MailKind.HELD, MailKind.HOLD_ENDING})
_NO_LONGER_HELD: Final = frozenset({MailKind.EXPIRED, MailKind.HOLD_ENDED})
# They take nothing away; of the others only what they leave is still somebody's.
_KEEPING: Final = frozenset({MailKind.CONFIRMED, MailKind.EVENT_CHANGED, MailKind.EVENT_POSTPONED})


class LinkedPurchase(NamedTuple):
    """Whose purchase a link is for; this is the subject of its signature."""

    event: UUID
    purchase: UUID
    account: UUID

    @classmethod
    def read(cls, subject: bytes) -> Self:
        """The purchase of a link's subject."""
        return cls(*(UUID(bytes=subject[place : place + 16]) for place in (0, 16, 32)))

    @property
    def subject(self) -> bytes:
        """The purchase as it is signed: 48 bytes."""
        return self.event.bytes + self.purchase.bytes + self.account.bytes


class LinkWord(StrEnum):
    """What a link is called."""

    CONFIRM = "confirm"
    TICKETS = "tickets"
    PURCHASE = "purchase"
    EVENT = "event"


class MailLink(NamedTuple):
    """A link as a mail shows it."""

    word: LinkWord
    address: str


class MailLinks:
    """Makes the links of mails to the pages at ``site`` (an address without a path)."""

    def __init__(self, site: str, links: Links) -> None:
        self._site = site
        self._links = links

    def of(self, job: Job) -> MailLink:
        """The link of a job's mail: to confirm what is held until then, else to see what became of the purchase."""
        if job.kind in _NO_LONGER_HELD:
            return MailLink(LinkWord.EVENT, f"{self._site}/events/{job.event}")
        if job.kind in _HELD and job.deadline is not None:
            return MailLink(LinkWord.CONFIRM, self._signed(LinkKind.FINISH_HOLD, job, job.deadline))
        ends = min(max(job.facts.ends_at, job.at), _LATEST) + SHOWN_AFTERWARDS
        word = LinkWord.TICKETS if _has_tickets(job) else LinkWord.PURCHASE
        return MailLink(word, self._signed(LinkKind.SEE_PURCHASE, job, ends))

    def _signed(self, kind: LinkKind, job: Job, expires: datetime) -> str:
        purchase = LinkedPurchase(job.event, job.purchase, job.account)
        return f"{self._site}{PATHS[kind]}?link={self._links.sign(kind, purchase.subject, expires)}"


def _has_tickets(job: Job) -> bool:
    """Whether its reader has tickets after the news."""
    return any(line.codes for line in (job.lines if job.kind in _KEEPING else job.left))
