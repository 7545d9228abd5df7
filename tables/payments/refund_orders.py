"""Refunds that the organizer orders: for tickets that are kept (goodwill), or with tickets that the ledger gives back.

They are kept in the payment's record, with who ordered them and why. An order that is known changes nothing.
"""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from tables.errors import MalformedRecord
from tables.messages.encoding import to_milliseconds
from tables.messages.payment_events import PaymentEvent
from tables.payments.records import TOO_LARGE, ZERO, PaymentRecord, RefundOrder, RefundStatus

# Of one payment.
ORDERS_MAX: Final = 50


def check_order(record: PaymentRecord, event: PaymentEvent) -> None:
    """Raise MalformedRecord for an order that lacks who or its id, or has no amount of the payment's currency."""
    if event.account is None or event.request is None:
        raise MalformedRecord("a refund has an account that ordered it, and a request")
    if event.amount is not None and (event.amount == 0 or event.currency != record.currency):
        raise MalformedRecord(f"the refund is not an amount in {record.currency} - at `$.amount`")


def with_order(record: PaymentRecord, event: PaymentEvent) -> dict[str, Any]:
    """The changes of a record by a new order; none by one that is known, or one beyond ORDERS_MAX.

    Goodwill is measured from what is left of the money, so that exactly the amount goes back.
    """
    if any(order.id == event.request for order in record.refunds) or len(record.refunds) >= ORDERS_MAX:
        return {}
    left = record.refundable
    if event.amount is None:
        return {"refunds": (*record.refunds, _order(event, ZERO, RefundStatus.ORDERED))}
    if event.amount > left:
        refused = replace(_order(event, event.amount, RefundStatus.REFUSED), refusal=TOO_LARGE)
        return {"refunds": (*record.refunds, refused)}
    accepted = _order(event, event.amount, RefundStatus.ACCEPTED)
    return {"refunds": (*record.refunds, accepted), "goodwill": record.worth - left + event.amount}


def with_returned_tickets(record: PaymentRecord, request: UUID | None, worth: Decimal) -> tuple[RefundOrder, ...]:
    """The orders after the ledger gave back tickets of that worth by a request that it may have refused before."""
    return tuple(
        replace(order, amount=worth, status=RefundStatus.ACCEPTED, refusal="")
        if order.id == request and _is_of_tickets(order)
        else order
        for order in record.refunds
    )


def with_kept_tickets(record: PaymentRecord, request: UUID | None, refusal: str) -> tuple[RefundOrder, ...]:
    """The orders after the ledger refused to give back tickets by a request."""
    return tuple(
        replace(order, status=RefundStatus.REFUSED, refusal=refusal)
        if order.id == request and order.status is RefundStatus.ORDERED
        else order
        for order in record.refunds
    )


def _is_of_tickets(order: RefundOrder) -> bool:
    """Whether the tickets of an order are not given back yet."""
    return order.status is not RefundStatus.ACCEPTED and order.refusal != TOO_LARGE


def _order(event: PaymentEvent, amount: Decimal, status: RefundStatus) -> RefundOrder:
    assert event.request is not None
    assert event.account is not None
    is_goodwill = event.amount is not None
    at = to_milliseconds(event.at)
    return RefundOrder(event.request, event.account, at, event.reason, amount, status, goodwill=is_goodwill)
