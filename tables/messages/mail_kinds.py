"""The kinds of mails: what an outcome, or a change of an event, means for those who have tickets."""

from enum import StrEnum
from typing import Final

from tables.messages.outcomes import EventFacts, Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus


class MailKind(StrEnum):
    """What a mail is about."""

    CONFIRMED = "confirmed"
    HELD = "held"
    HOLD_ENDING = "hold-ending"
    EXPIRED = "expired"
    HOLD_ENDED = "hold-ended"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    EVENT_CHANGED = "event-changed"
    EVENT_POSTPONED = "event-postponed"
    EVENT_CANCELED = "event-canceled"


_OF_OUTCOMES: Final = {
    OutcomeKind.CONFIRMED: MailKind.CONFIRMED,
    OutcomeKind.HELD: MailKind.HELD,
    OutcomeKind.EXPIRED: MailKind.EXPIRED,
    OutcomeKind.CANCELLED: MailKind.CANCELLED,
    OutcomeKind.REFUNDED: MailKind.REFUNDED,
}

_OF_REASONS: Final[dict[Reason | None, MailKind]] = {
    Reason.EVENT_CANCELED: MailKind.EVENT_CANCELED,
    Reason.HOLD_ENDED: MailKind.HOLD_ENDED,
}


def mail_of(outcome: Outcome) -> MailKind | None:
    """The mail that an outcome asks for; an answer given again asks for none.

    What ends a purchase because its event is cancelled is told as that: one mail, not two. What the operator ends is
    told as that, too.
    """
    if outcome.repeated:
        return None
    return _OF_REASONS.get(outcome.reason) or _OF_OUTCOMES.get(outcome.kind)


def mail_of_change(before: EventFacts, after: EventFacts) -> MailKind | None:
    """The mail that everybody with tickets gets when an event's facts change; None where nothing they need changed.

    A cancelled event is told purchase by purchase, with its outcome.
    """
    if after.status in (EventStatus.CANCELED, EventStatus.DONE):
        return None
    if after.status == EventStatus.POSTPONED:
        return None if before.status == after.status else MailKind.EVENT_POSTPONED
    if before.status == EventStatus.POSTPONED or when_and_where(before) != when_and_where(after):
        return MailKind.EVENT_CHANGED
    return None


def when_and_where(facts: EventFacts) -> tuple[object, ...]:
    """What somebody with a ticket must not miss."""
    return facts.starts_at, facts.ends_at, facts.time_zone, facts.venue, facts.city
