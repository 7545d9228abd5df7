"""The kinds of mails, and which outcome or change of an event causes which."""

from enum import StrEnum
from typing import Final

from tables.messages.outcomes import EventFacts, Outcome, OutcomeKind
from tables.messages.payment_requests import cancel_request
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus


class MailKind(StrEnum):
    """What a mail is about. DISPUTED is for the organizer, all others are for the buyer."""

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
    PAID = "paid"
    PAID_BACK = "paid-back"
    PAYMENT_DECLINED = "payment-declined"
    PAYMENT_FAILED = "payment-failed"
    DISPUTED = "payment-disputed"


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
    """The mail that an outcome causes; a repeated outcome causes none.

    The reason decides before the kind: a purchase that ends because its event was cancelled, because the operator ended
    the hold, or because its payment can't be captured, gets one mail that says so.
    """
    if outcome.repeated:
        return None
    if (
        outcome.kind is OutcomeKind.CANCELLED
        and outcome.purchase
        and outcome.request == cancel_request(outcome.purchase)
    ):
        return MailKind.PAYMENT_FAILED
    return _OF_REASONS.get(outcome.reason) or _OF_OUTCOMES.get(outcome.kind)


def mail_of_change(before: EventFacts, after: EventFacts) -> MailKind | None:
    """The mail to all ticket holders when an event's facts change; None if nothing changed that they need to know.

    A postponed event's new date is told when it is set. A cancelled event causes none: each purchase has its own
    outcome, and thereby its own mail.
    """
    if after.status in (EventStatus.CANCELED, EventStatus.DONE):
        return None
    if after.status == EventStatus.POSTPONED and before.status != after.status:
        return MailKind.EVENT_POSTPONED
    resumed = before.status == EventStatus.POSTPONED != after.status
    if resumed or when_and_where(before) != when_and_where(after):
        return MailKind.EVENT_CHANGED
    return None


def when_and_where(facts: EventFacts) -> tuple[object, ...]:
    """The facts whose change is announced to ticket holders."""
    return facts.starts_at, facts.ends_at, facts.time_zone, facts.venue, facts.city
