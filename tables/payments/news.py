"""Which mail is sent when something happens to a payment: to the buyer, or about a dispute to the organizer.

Tickets that are taken back have the mail of their outcome.
"""

from decimal import Decimal
from typing import Final

from tables.messages.encoding import from_milliseconds
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend
from tables.messages.outcomes import MoneyAmount
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import payment_request_id
from tables.payments.records import PaymentRecord
from tables.payments.transitions import PaymentState

S = PaymentState
_BEFORE_SALE: Final = frozenset({S.CAPTURING, S.CONFIRMING})


def mail_request(before: PaymentRecord | None, after: PaymentRecord, event: PaymentEvent) -> Resend | None:
    """The request for the mail about what an event changed; None if there is nothing to tell. Its id follows."""
    if before is None:
        return None
    is_disputed = after.disputed and not before.disputed
    news = _dispute(after, event) if is_disputed else _news(before, after, event)
    if news is None:
        return None
    number = payment_request_id(event.purchase, after.offset, news.kind)
    account = event.account if is_disputed else None
    return Resend(number, after.event, event.purchase, from_milliseconds(after.at), news, account)


def _dispute(after: PaymentRecord, event: PaymentEvent) -> PaymentNews | None:
    """For the organizer, whom the API names in the event; None for one of a version that did not."""
    return None if event.account is None else _told(MailKind.DISPUTED, after, event.amount or after.captured)


def _news(before: PaymentRecord, after: PaymentRecord, event: PaymentEvent) -> PaymentNews | None:
    if after.refunded > before.refunded:
        return _told(MailKind.PAID_BACK, after, after.refunded - before.refunded)
    kind = None if before.state is after.state else _kind(before, after)
    if kind is MailKind.PAYMENT_FAILED and event.kind is PaymentEventKind.CONFIRMED:
        return None  # by somebody who took the money, or of free tickets: they are the buyer's
    return None if kind is None else _told(kind, after, after.captured or after.asked)


def _kind(before: PaymentRecord, after: PaymentRecord) -> MailKind | None:
    if after.state is S.DECLINED:
        return MailKind.PAYMENT_DECLINED
    if before.state in _BEFORE_SALE and after.captured and after.worth:
        return MailKind.PAID
    is_too_late = before.state is S.CONFIRMING and after.state in (S.VOIDING, S.REFUNDING)
    return MailKind.PAYMENT_FAILED if is_too_late else None


def _told(kind: MailKind, after: PaymentRecord, amount: Decimal) -> PaymentNews:
    is_declined = kind is MailKind.PAYMENT_DECLINED
    deadline = from_milliseconds(after.deadline) if is_declined and after.deadline is not None else None
    return PaymentNews(kind, MoneyAmount(amount, after.currency), after.reference, deadline)
