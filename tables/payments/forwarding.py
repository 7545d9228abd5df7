"""What the ledger's outcomes mean to payments: the events that they become."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import confirm_request
from tables.messages.reasons import Reason

_KINDS: Final[dict[OutcomeKind, PaymentEventKind]] = {
    OutcomeKind.HELD: PaymentEventKind.HELD,
    OutcomeKind.CONFIRMED: PaymentEventKind.CONFIRMED,
    OutcomeKind.CANCELLED: PaymentEventKind.ENDED,
    OutcomeKind.EXPIRED: PaymentEventKind.ENDED,
    OutcomeKind.REFUNDED: PaymentEventKind.ENDED,
}


# A refund may have been ordered with the tickets of these; a hold has the request of an exchange of its seats.
_WITH_REQUEST: Final = frozenset(
    {PaymentEventKind.ENDED, PaymentEventKind.REDUCED, PaymentEventKind.RETURN_REFUSED, PaymentEventKind.HELD}
)
_OF_STRANGERS: Final = frozenset({Reason.NOT_YOURS, Reason.UNKNOWN_PURCHASE})
# A confirm with a payment is refused for these alone, and so is every later one.
_WITHOUT_HOLD: Final = frozenset({Reason.NOT_HELD, Reason.UNKNOWN_PURCHASE})


def may_concern_payment(value: bytes | None) -> bool:
    """Whether an outcome, as it is written, can concern a payment. Most don't, and need not be decoded."""
    return value is not None and (b'"payment"' in value or b'"refused"' in value)


def forwarded(outcome: Outcome) -> PaymentEvent | None:
    """The event of an outcome; None for one that concerns no payment.

    Its amount is what the purchase is worth after the outcome.
    """
    purchase = outcome.purchase
    if purchase is None:
        return None
    if outcome.kind is OutcomeKind.REFUSED:
        refused = _refused_kind(outcome, purchase)
        return None if refused is None else _event(outcome, purchase, refused)
    kind = _KINDS.get(outcome.kind)
    if kind is None or outcome.payment is None:
        return None
    if kind is PaymentEventKind.ENDED and outcome.left:
        kind = PaymentEventKind.REDUCED
    return _event(outcome, purchase, kind)


def _refused_kind(outcome: Outcome, purchase: UUID) -> PaymentEventKind | None:
    """What was refused: our confirm, or perhaps the tickets of a refund that was ordered, which the payment knows.

    A command of another producer may have the request of our confirm, so the reason decides, too.
    """
    if outcome.request == confirm_request(purchase) and outcome.reason in _WITHOUT_HOLD:
        return PaymentEventKind.REFUSED
    is_no_return = outcome.request is None or outcome.reason in _OF_STRANGERS
    return None if is_no_return else PaymentEventKind.RETURN_REFUSED


def _event(outcome: Outcome, purchase: UUID, kind: PaymentEventKind) -> PaymentEvent:
    money = outcome.payment
    is_refused = kind is PaymentEventKind.RETURN_REFUSED
    return PaymentEvent(
        id=f"{outcome.event}@{outcome.offset}",
        kind=kind,
        event=outcome.event,
        purchase=purchase,
        at=outcome.at,
        account=outcome.account,
        amount=Decimal(0) if money is None else money.amount,
        currency=None if money is None else money.currency,
        ledger_offset=outcome.offset,
        deadline=outcome.deadline,
        reference=outcome.reference or "",
        request=outcome.request if kind in _WITH_REQUEST else None,
        reason=str(outcome.reason) if is_refused else "",
    )
