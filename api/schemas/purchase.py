"""Purchases: the request's body, and the purchase as it is shown."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from api.schemas.base import Body, OptionalBody, Parameters, Resource
from api.schemas.fields import WHOLE, Money, Quantity, absent, exact
from tables.ids import text_of
from tables.messages.encoding import encode_json
from tables.messages.outcomes import Outcome, OutcomeLine
from tables.messages.statuses import PurchaseStatus

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The long id continues with the account, an expiry and a signature.
_PUBLIC_ID: Final = re.compile(
    rf"({_ID})\.({_ID})(?:\.{_ID}\.[0-9]{{1,12}}\.[\w-]{{1,100}})?", re.ASCII | re.IGNORECASE
)
# What the ledger reads (tables/messages/sections.py): another text would be a request that it never answers.
SeatName = Annotated[str, Field(strict=True, min_length=5, max_length=32, pattern=r"^[^\x00]*$")]
SectionText = Annotated[str, Field(strict=True, min_length=1, max_length=16, pattern=r"^[^\x00-\x1f\x7f-\x9f-]+$")]
SeatNames = Annotated[
    tuple[SeatName, ...], Field(max_length=500, fail_fast=True, description="such as A-12-7: section, row, seat")
]
HoldSeconds = Annotated[int, Field(strict=True, ge=1, le=86_400, description="how long the hold lasts"), WHOLE]


class NewLine(Body):
    """Tickets of one type."""

    ticket_type_id: UUID
    quantity: Quantity


class BestSeats(Body):
    """The best seats that are left: beside each other if ``together``, with a place for a wheelchair if ``accessible``.

    With ``section``, only those of that section.
    """

    together: bool = Field(True, strict=True)
    accessible: bool = Field(False, strict=True)
    section: SectionText | None = None


class OrderLine(NewLine):
    """Tickets of one type. Of a type with seats, the ``seats`` by name, or the ``best`` that are left."""

    seats: SeatNames = ()
    best: BestSeats | None = None


class NewPurchase(Body):
    """All lines are bought, or none. With ``hold`` they are reserved until confirmed or canceled.

    Without ``accountId`` the buyer is the caller.
    """

    event_id: UUID
    account_id: UUID = absent()
    lines: list[OrderLine] = Field(min_length=1, max_length=50)
    hold: bool = Field(False, strict=True)
    hold_seconds: HoldSeconds = absent()


class Cancellation(OptionalBody):
    """The tickets to give back, some ``seats`` among them by name; all of them without both."""

    lines: list[NewLine] = Field(default_factory=list, max_length=50)
    seats: SeatNames = ()


class SeatExchange(Body):
    """Seats to give back, and as many of the same ticket types to get instead."""

    give: SeatNames = Field(min_length=1)
    take: SeatNames = Field(min_length=1)


class PurchaseConfirmation(OptionalBody):
    """``reference`` says that the organizer has taken the money: what the payment is called there."""

    reference: Annotated[str, Field(strict=True, min_length=1, max_length=64, pattern=r"^[^\x00]*$")] = absent()


class BoughtLine(Resource):
    """Tickets of one type, their price, their codes, and their seats in the same order."""

    ticket_type_id: UUID
    name: str
    quantity: int
    price: Money
    codes: list[str] = Field(default_factory=list)
    seats: list[str] | None = None


class Payment(Resource):
    """The payment of a purchase in an event that is paid online.

    While the purchase is held: what is due, until when, and the page where it is paid. Afterwards the ``reference`` of
    the payment with which it was confirmed.
    """

    due: Money | None = None
    deadline: datetime | None = None
    url: str | None = None
    reference: str | None = None


class Purchase(Resource):
    """A purchase; its status is ``pending`` until the ledger has decided."""

    id: str = Field(description="`{eventId}.{purchase}`")
    event_id: UUID
    account_id: UUID | None = None
    status: str = Field(examples=["confirmed"])
    reason: str | None = None
    figures: dict[str, Any] | None = None
    lines: list[BoughtLine] | None = None
    returned: int | None = Field(None, description="how many tickets were given back, where others are left")
    total: Money | None = None
    deadline: datetime | None = None
    payment: Payment | None = None
    decided_at: datetime | None = None


class PurchaseList(Resource):
    """A page of purchases, newest first."""

    items: list[Purchase]
    next: str | None = None


class PurchasePath(Resource):
    """Which purchase."""

    purchase_id: str = Field(description="`{eventId}.{purchase}`, or the long id in the `Location` of a 202")


class WaitQuery(Parameters):
    """How many seconds to wait for the decision."""

    wait: float = Field(0, ge=0, le=30, allow_inf_nan=False)


def public_id(event: UUID, purchase: UUID) -> str:
    """The id of a purchase in URLs, with that of its event."""
    return f"{text_of(event)}.{text_of(purchase)}"


def parse_public_id(text: str) -> tuple[UUID, UUID] | None:
    """Event and purchase of a public id, plain or long (api/purchasing/acceptance.py); None if it is invalid."""
    found = _PUBLIC_ID.fullmatch(text)
    return (UUID(found[1]), UUID(found[2])) if found else None


def payment_url(public: str) -> str:
    """The page on which a purchase is paid, on this site."""
    return f"/purchases/{public}/payment"


def pending(event: UUID, purchase: UUID, account: UUID) -> Purchase:
    """A purchase that is in the log and not decided yet."""
    return Purchase(id=public_id(event, purchase), event_id=event, account_id=account, status="pending")


def purchase_json(outcome: Outcome, purchase: UUID) -> bytes:
    """The JSON of the Purchase after the outcome, without what it does not have, at a tenth of the model's cost."""
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
        fields["total"] = _money(sum((line.price * line.quantity for line in lines), Decimal(0)), currency)
    if outcome.deadline is not None:
        fields["deadline"] = outcome.deadline
    if outcome.payment is not None and (payment := _payment(outcome, fields["id"])):
        fields["payment"] = payment
    fields["decidedAt"] = outcome.at
    return encode_json(fields)


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
