"""Purchases as answers, written straight from outcomes: the JSON of api/schemas/purchase, at a tenth of its cost."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from api.schemas.money import exact
from api.schemas.purchase import public_id
from tables.messages.outcomes import Outcome, OutcomeLine

_encode = msgspec.json.Encoder().encode


class Amount(Struct, frozen=True, gc=False):
    """An exact amount as it is written in its currency."""

    amount: str
    currency: str


class Item(Struct, frozen=True, rename="camel"):
    """Tickets of one type."""

    ticket_type_id: UUID
    name: str
    quantity: int
    price: Amount
    codes: tuple[str, ...]


class Receipt(Struct, frozen=True, rename="camel", kw_only=True):
    """A purchase as it stands after an outcome."""

    id: str
    event_id: UUID
    account_id: UUID | UnsetType = UNSET
    status: str
    reason: str | UnsetType = UNSET
    figures: dict[str, Any] | UnsetType = UNSET
    lines: tuple[Item, ...]
    total: Amount | UnsetType = UNSET
    deadline: datetime | UnsetType = UNSET
    decided_at: datetime


def receipt(outcome: Outcome, purchase: UUID) -> bytes:
    """The purchase as JSON."""
    currency = outcome.total.currency if outcome.total else ""
    lines = outcome.left or outcome.lines
    return _encode(
        Receipt(
            id=public_id(outcome.event, purchase),
            event_id=outcome.event,
            account_id=outcome.account or UNSET,
            status=(outcome.status or outcome.kind).value,
            reason=outcome.reason or UNSET,
            figures=outcome.figures or UNSET,
            lines=tuple(_item(line, currency) for line in lines),
            total=_amount(total(lines), currency) if currency else UNSET,
            deadline=outcome.deadline or UNSET,
            decided_at=outcome.at,
        )
    )


def total(lines: tuple[OutcomeLine, ...]) -> Decimal:
    """What the lines cost together."""
    return sum((line.price * line.quantity for line in lines), Decimal(0))


def _item(line: OutcomeLine, currency: str) -> Item:
    return Item(line.ticket_type, line.name, line.quantity, _amount(line.price, currency), line.codes)


def _amount(amount: Decimal, currency: str) -> Amount:
    return Amount(str(exact(amount, currency)), currency)
