"""What the ledger's outcomes mean to payments: the events that they become, and the ids of our own commands."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from tables.ids import name_based_id
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.payment_events import PaymentEvent, PaymentEventKind

_KINDS: Final[dict[OutcomeKind, PaymentEventKind]] = {
    OutcomeKind.HELD: PaymentEventKind.HELD,
    OutcomeKind.CONFIRMED: PaymentEventKind.CONFIRMED,
    OutcomeKind.CANCELLED: PaymentEventKind.ENDED,
    OutcomeKind.EXPIRED: PaymentEventKind.ENDED,
    OutcomeKind.REFUNDED: PaymentEventKind.ENDED,
}


def confirm_request(purchase: UUID) -> UUID:
    """The request of the command that confirms a purchase whose payment is authorized."""
    return name_based_id(purchase, "payment confirm")


def cancel_request(purchase: UUID) -> UUID:
    """The request of the command that cancels a purchase whose payment can't be captured."""
    return name_based_id(purchase, "payment failed")


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
        return _event(outcome, purchase, PaymentEventKind.REFUSED) if _is_ours(outcome, purchase) else None
    kind = _KINDS.get(outcome.kind)
    if kind is None or outcome.payment is None:
        return None
    if kind is PaymentEventKind.ENDED and outcome.left:
        kind = PaymentEventKind.REDUCED
    return _event(outcome, purchase, kind)


def _is_ours(outcome: Outcome, purchase: UUID) -> bool:
    return outcome.request is not None and outcome.request == confirm_request(purchase)


def _event(outcome: Outcome, purchase: UUID, kind: PaymentEventKind) -> PaymentEvent:
    money = outcome.payment
    gives_back = kind in (PaymentEventKind.ENDED, PaymentEventKind.REDUCED)
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
        request=outcome.request if gives_back else None,
    )
