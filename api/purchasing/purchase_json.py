"""Writes the JSON of api/schemas/purchase.Purchase straight from an outcome, at a tenth of the model's cost."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from api.schemas.money import exact
from api.schemas.purchase import payment_url, public_id
from tables.messages.outcomes import Outcome, OutcomeLine
from tables.messages.statuses import PurchaseStatus

_encode = msgspec.json.Encoder().encode


def purchase_json(outcome: Outcome, purchase: UUID) -> bytes:
    """The purchase after the outcome, without what it does not have."""
    currency = outcome.total.currency if outcome.total else ""
    lines = outcome.left or outcome.lines
    fields: dict[str, Any] = {"id": public_id(outcome.event, purchase), "eventId": outcome.event}
    if outcome.account is not None:
        fields["accountId"] = outcome.account
    fields["status"] = (outcome.status or outcome.kind).value
    if outcome.reason:
        fields["reason"] = outcome.reason
    if outcome.figures:
        fields["figures"] = outcome.figures
    fields["lines"] = [_line(line, currency) for line in lines]
    if outcome.returned:
        fields["returned"] = outcome.returned
    if currency:
        fields["total"] = _money(total(lines), currency)
    if outcome.deadline is not None:
        fields["deadline"] = outcome.deadline
    if outcome.payment is not None and (payment := _payment(outcome, fields["id"])):
        fields["payment"] = payment
    fields["decidedAt"] = outcome.at
    return _encode(fields)


def total(lines: tuple[OutcomeLine, ...]) -> Decimal:
    """The price of all lines."""
    return sum((line.price * line.quantity for line in lines), Decimal(0))


def _line(line: OutcomeLine, currency: str) -> dict[str, Any]:
    fields = {
        "ticketTypeId": line.ticket_type,
        "name": line.name,
        "quantity": line.quantity,
        "price": _money(line.price, currency),
        "codes": line.codes,
    }
    if line.seats:
        fields["seats"] = line.seats
    return fields


def _payment(outcome: Outcome, public: str) -> dict[str, Any]:
    """What must be paid for a hold, or with which payment it was confirmed."""
    if outcome.reference is not None:
        return {"reference": outcome.reference}
    payment = outcome.payment
    if payment is None or not payment.amount or outcome.status is not PurchaseStatus.HELD:
        return {}
    due = _money(payment.amount, payment.currency)
    return {"due": due, "deadline": outcome.deadline, "url": payment_url(public)}


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": str(exact(amount, currency)), "currency": currency}
