"""Which mail a payment's buyer gets, and that a repeat causes none."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tables.messages.encoding import from_milliseconds
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import Resend
from tables.messages.outcomes import MoneyAmount
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.news import mail_request
from tests.unit.tables.payments.payment_world import (
    EVENT,
    ORGANIZER,
    PRICE,
    PURCHASE,
    REFERENCE,
    event,
    refund_order,
)
from tests.unit.tables.payments.test_payment import AUTHORIZING, CAPTURED, CAPTURING, CONFIRMING, HELD, Payment

K = PaymentEventKind
ZERO = Decimal(0)
CONFIRMED = event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE)
RETURNED = event(K.ENDED, amount=ZERO, ledger_offset=10)


def told(before: tuple[PaymentEvent, ...], happened: PaymentEvent) -> Resend | None:
    payment = Payment(*before)
    known = payment.known
    payment.tell(happened)
    return mail_request(known, payment.known, happened)


@pytest.mark.parametrize(
    ("before", "happened", "kind", "amount"),
    [
        (CAPTURING, event(K.CAPTURED, reference=REFERENCE), MailKind.PAID, PRICE),
        ((*AUTHORIZING, event(K.CAPTURED)), CONFIRMED, MailKind.PAID, PRICE),
        ((*CAPTURED, RETURNED), event(K.REFUNDED), MailKind.PAID_BACK, PRICE),
        ((*CAPTURED, refund_order(Decimal(5))), event(K.REFUNDED, amount=Decimal(5)), MailKind.PAID_BACK, Decimal(5)),
        (AUTHORIZING, event(K.DECLINED), MailKind.PAYMENT_DECLINED, PRICE),
        (CONFIRMING, event(K.REFUSED, ledger_offset=9), MailKind.PAYMENT_FAILED, PRICE),
        ((*AUTHORIZING, event(K.CAPTURED)), event(K.REFUSED, ledger_offset=9), MailKind.PAYMENT_FAILED, PRICE),
    ],
)
def test_what_happened_has_its_mail_with_the_amount_that_moved(
    before: tuple[PaymentEvent, ...], happened: PaymentEvent, kind: MailKind, amount: Decimal
) -> None:
    found = told(before, happened)
    assert found is not None
    assert found.payment is not None
    assert (found.event, found.purchase, found.payment.kind) == (EVENT, PURCHASE, kind)
    assert found.payment.amount == MoneyAmount(amount, "EUR")


def test_the_mail_of_a_declined_payment_says_until_when_it_may_be_tried_again() -> None:
    end = from_milliseconds(1_800_000_000_000)
    held, *further = AUTHORIZING
    found = told((replace(held, deadline=end), *further), event(K.DECLINED))
    assert found is not None
    assert found.payment is not None
    assert found.payment.deadline == end


@pytest.mark.parametrize(
    ("before", "happened"),
    [
        (HELD, event(K.STARTED)),
        (CAPTURED, event(K.CAPTURED, reference=REFERENCE)),
        (CAPTURED, RETURNED),
        (CAPTURED, refund_order(PRICE)),
        ((*CAPTURED, RETURNED, event(K.REFUNDED)), event(K.REFUNDED)),
        ((*AUTHORIZING, event(K.DECLINED)), event(K.DECLINED)),
        (CONFIRMING, CONFIRMED),
        # Somebody else took the money, or only free tickets are left.
        (CONFIRMING, event(K.CONFIRMED, ledger_offset=9, reference="till 7")),
        (CONFIRMING, event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE, amount=ZERO)),
        (AUTHORIZING, event(K.ENDED, amount=ZERO, ledger_offset=9)),
        # The tickets are taken back, which their own outcome tells.
        (CAPTURING, event(K.VOIDED, reference=REFERENCE)),
    ],
)
def test_what_is_no_news_has_no_mail(before: tuple[PaymentEvent, ...], happened: PaymentEvent) -> None:
    assert told(before, happened) is None


def test_a_first_event_has_no_mail() -> None:
    assert mail_request(None, Payment(*HELD).known, HELD[0]) is None


def test_the_organizer_is_told_of_a_dispute_once() -> None:
    disputed = event(K.DISPUTED, reference=REFERENCE, account=ORGANIZER)
    found = told(CAPTURED, disputed)
    assert found is not None
    assert found.payment is not None
    assert (found.account, found.payment.kind) == (ORGANIZER, MailKind.DISPUTED)
    assert found.payment.amount == MoneyAmount(PRICE, "EUR")
    assert told((*CAPTURED, disputed), event(K.DISPUTED, reference=REFERENCE, account=ORGANIZER)) is None
    assert told(CAPTURED, event(K.DISPUTED, reference=REFERENCE)) is None
