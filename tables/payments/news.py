"""Which mail a buyer gets when something happens to his payment."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend
from tables.messages.outcomes import MoneyAmount
from tables.messages.payment_requests import payment_request_id
from tables.payments.records import PaymentRecord
from tables.payments.transitions import PaymentState
from tables.times import from_milliseconds

S = PaymentState
_BEFORE_SALE: Final = frozenset({S.CAPTURING, S.CONFIRMING})


def mail_request(before: PaymentRecord | None, after: PaymentRecord, purchase: UUID) -> Resend | None:
    """The request for the mail about what an event changed; None if there is nothing to tell. Its id follows."""
    news = None if before is None else _news(before, after)
    if news is None:
        return None
    number = payment_request_id(purchase, after.offset, news.kind)
    return Resend(number, after.event, purchase, from_milliseconds(after.at), news)


def _news(before: PaymentRecord, after: PaymentRecord) -> PaymentNews | None:
    if after.refunded > before.refunded:
        return _told(MailKind.PAID_BACK, after, after.refunded - before.refunded)
    kind = None if before.state is after.state else _kind(before, after)
    return None if kind is None else _told(kind, after, after.captured or after.asked)


def _kind(before: PaymentRecord, after: PaymentRecord) -> MailKind | None:
    if after.state is S.DECLINED:
        return MailKind.PAYMENT_DECLINED
    if before.state in _BEFORE_SALE and after.captured and after.worth:
        return MailKind.PAID
    is_too_late = before.state is S.CONFIRMING and after.state in (S.VOIDING, S.REFUNDING)
    return MailKind.PAYMENT_FAILED if is_too_late or after.state is S.REVOKING else None


def _told(kind: MailKind, after: PaymentRecord, amount: Decimal) -> PaymentNews:
    return PaymentNews(kind, MoneyAmount(amount, after.currency), after.reference)
