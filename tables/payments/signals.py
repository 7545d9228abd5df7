"""What an event means to a payment: its amounts afterwards, and the signal for the table of transitions."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from tables.errors import MalformedRecord
from tables.messages.payment_events import OWN_KINDS, PaymentEvent, PaymentEventKind
from tables.payments.records import CLOSED_MAX, ZERO, PaymentRecord
from tables.payments.refund_orders import check_order, with_kept_tickets, with_order, with_returned_tickets
from tables.payments.transitions import PaymentState, Signal

K = PaymentEventKind
Changes = dict[str, Any]
# Before the tickets are sold, what is captured is compared with what was asked for.
_UNSOLD: Final = frozenset({PaymentState.DUE, PaymentState.AUTHORIZING, PaymentState.DECLINED})
# What says nothing more of a payment that is closed.
_OUTDATED: Final = frozenset({K.OPENED, K.DECLINED, K.AUTHORIZED})
# Tickets were sold on this payment.
_SOLD: Final = frozenset(
    {
        PaymentState.CAPTURING,
        PaymentState.CAPTURED,
        PaymentState.REVOKING,
        PaymentState.REFUNDING,
        PaymentState.REFUNDED,
    }
)


def check_event(record: PaymentRecord, event: PaymentEvent) -> None:
    """Raise MalformedRecord for what a provider says of another payment, or in another currency.

    Also for a start without a provider: it would wait for ever for an answer of nobody.
    """
    if event.kind is K.REFUND_ORDERED:
        check_order(record, event)
    if event.kind is K.STARTED and event.provider is None:
        raise MalformedRecord("a start names its provider - at `$.provider`")
    if event.kind in OWN_KINDS:
        return
    if event.provider != record.provider:
        raise MalformedRecord(f"the payment is not one of {event.provider} - at `$.provider`")
    if event.reference and record.reference and event.reference != record.reference:
        raise MalformedRecord("the purchase has another payment - at `$.reference`")
    if event.amount is not None and event.currency != record.currency:
        raise MalformedRecord(f"the payment is in {record.currency} - at `$.currency`")


def is_outdated(record: PaymentRecord, event: PaymentEvent) -> bool:
    """Whether a provider tells late of a payment that it had closed before the buyer tried again.

    It would be taken for news of the payment that he makes now. Money that was captured counts whenever it is told; a
    void counts as the answer to one that was asked for, since the provider may have made no other payment.
    """
    if event.reference in ("", record.reference) or event.reference not in record.all_closed:
        return False
    is_answer = not record.reference and event.request in {task.id for task in record.tasks}
    return event.kind in _OUTDATED or (event.kind is K.VOIDED and not is_answer)


def with_amounts(record: PaymentRecord, event: PaymentEvent) -> PaymentRecord:
    """The record with the amounts of an event. Totals never decrease, so an older event changes none."""
    change = _AMOUNTS.get(event.kind)
    return record if change is None else replace(record, **change(record, event, event.amount or ZERO))


def signal_of(record: PaymentRecord, event: PaymentEvent) -> Signal | None:
    """The signal of an event, given the record with its amounts; None for what is out of date."""
    make = _SIGNALS.get(event.kind)
    return Signal(event.kind.value) if make is None else make(record, event)


def _authorized_amount(record: PaymentRecord, event: PaymentEvent, amount: Decimal) -> Changes:
    is_old = record.captured or event.reference in record.all_closed
    return {} if is_old else {"authorized": amount}


def _voided_amount(record: PaymentRecord, event: PaymentEvent, amount: Decimal) -> Changes:
    closed = event.reference or record.reference
    earlier = tuple([it for it in record.all_closed if it != closed])[-CLOSED_MAX:]
    return {"authorized": ZERO, "closed": closed, "closed_before": earlier}


def _confirmed_amount(record: PaymentRecord, event: PaymentEvent, amount: Decimal) -> Changes:
    is_ours = record.state is PaymentState.CONFIRMING and not _is_foreign(record, event)
    return {"worth": amount} if is_ours else {}


def _worth_left(record: PaymentRecord, event: PaymentEvent, amount: Decimal) -> Changes:
    if record.state not in _SOLD:
        return {"due": amount, "refunds": with_returned_tickets(record, event.request, ZERO)}
    return {"worth": amount, "refunds": with_returned_tickets(record, event.request, record.worth - amount)}


def _confirmed(record: PaymentRecord, event: PaymentEvent) -> Signal:
    if record.state is PaymentState.CONFIRMING and not record.worth:
        return _refused(record, event)  # of somebody else, or of free tickets: there is nothing to charge
    if not record.captured:
        return Signal.CONFIRMED
    return Signal.CONFIRMED_MORE if record.balance > 0 else Signal.CONFIRMED_PAID


def _refused(record: PaymentRecord, event: PaymentEvent) -> Signal:
    return Signal.REFUSED_PAID if record.captured else Signal.REFUSED


def _reduced(record: PaymentRecord, event: PaymentEvent) -> Signal:
    if record.state not in _SOLD and not record.due:
        return Signal.ENDED  # only free tickets are left of the hold
    return Signal.REDUCED if record.balance > 0 else Signal.REFUNDED


def _ended(record: PaymentRecord, event: PaymentEvent) -> Signal:
    if record.state not in _SOLD:
        return Signal.ENDED
    if not record.captured:
        return Signal.RETURNED
    return Signal.RETURNED_PAID if record.balance > 0 else Signal.REFUNDED_ALL


def _authorized(record: PaymentRecord, event: PaymentEvent) -> Signal | None:
    if event.reference in record.all_closed:
        return None
    return Signal.AUTHORIZED if event.amount == _asked(record) else Signal.MISMATCHED


def _captured(record: PaymentRecord, event: PaymentEvent) -> Signal:
    beyond = record.captured - _asked(record) if record.state in _UNSOLD else record.balance
    if beyond == 0:
        return Signal.CAPTURED
    return Signal.CAPTURED_MORE if beyond > 0 else Signal.CAPTURED_LESS


def _refunded(record: PaymentRecord, event: PaymentEvent) -> Signal:
    if record.balance > 0:
        return Signal.REFUNDED_PART
    return Signal.REFUNDED if record.worth else Signal.REFUNDED_ALL


def _failed(record: PaymentRecord, event: PaymentEvent) -> Signal | None:
    """A failure counts for a request that has no other answer yet."""
    if event.request not in {task.id for task in record.tasks}:
        return None
    return Signal.FAILED_RETURNED if _is_returned(record) else Signal.FAILED


def _is_returned(record: PaymentRecord) -> bool:
    """Whether all tickets were given back before they were charged."""
    return record.state is PaymentState.CAPTURING and not record.worth


def _is_foreign(record: PaymentRecord, event: PaymentEvent) -> bool:
    """Whether a confirmation is of somebody else, who took the money."""
    return event.reference != record.confirm_reference(event.purchase)


def _asked(record: PaymentRecord) -> Decimal:
    return record.asked or record.due


_AMOUNTS: Final[dict[PaymentEventKind, Callable[[PaymentRecord, PaymentEvent, Decimal], Changes]]] = {
    K.AUTHORIZED: _authorized_amount,
    K.CAPTURED: lambda record, _, amount: {"authorized": ZERO, "captured": max(record.captured, amount)},
    K.VOIDED: _voided_amount,
    K.REFUNDED: lambda record, _, amount: {"refunded": max(record.refunded, amount)},
    K.CONFIRMED: _confirmed_amount,
    K.REDUCED: _worth_left,
    K.ENDED: _worth_left,
    K.REFUND_ORDERED: lambda record, event, _: with_order(record, event),
    K.RETURN_REFUSED: lambda record, event, _: {"refunds": with_kept_tickets(record, event.request, event.reason)},
}
_SIGNALS: Final[dict[PaymentEventKind, Callable[[PaymentRecord, PaymentEvent], Signal | None]]] = {
    K.HELD: lambda *_: None,  # it was lengthened: no state changes
    K.CONFIRMED: _confirmed,
    K.REFUSED: _refused,
    K.REDUCED: _reduced,
    K.ENDED: _ended,
    K.AUTHORIZED: _authorized,
    K.CAPTURED: _captured,
    K.VOIDED: lambda record, _: Signal.FAILED_RETURNED if _is_returned(record) else Signal.VOIDED,
    K.REFUNDED: _refunded,
    K.FAILED: _failed,
    K.REFUND_ORDERED: lambda record, _: Signal.REFUND_GRANTED if record.balance > 0 else None,
    K.RETURN_REFUSED: lambda *_: None,  # the tickets are kept: no state changes
}
