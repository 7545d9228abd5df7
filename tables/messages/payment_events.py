"""The events on ``payment-events``: everything that happens to a payment, in one order.

They come from the ledger, from the buyer, from the provider, and from the timer that asks the provider. An event may
occur more than once, late and in any order: amounts are totals, so that a repeat or an older one changes nothing.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from tables.errors import MalformedRecord
from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Amount, Time
from tables.messages.payment_requests import (
    CurrencyCode,
    PaymentRequest,
    ProviderName,
    Reference,
    check_amount,
    check_time,
)

OFFSET_MAX: Final = 2**62
REASON_MAX_CHARS: Final = 200
DETAIL_MAX_CHARS: Final = 200


class PaymentEventKind(StrEnum):
    """What happened: to the purchase in the ledger, by the buyer, at the provider, by the timer, by the organizer."""

    HELD = "held"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    ENDED = "ended"
    REDUCED = "reduced"
    STARTED = "started"
    OPENED = "opened"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    FAILED = "failed"
    DISPUTED = "disputed"
    CHECKED = "checked"
    REFUND_ORDERED = "refund-ordered"
    RETURN_REFUSED = "return-refused"


LEDGER_KINDS: Final = frozenset(
    {
        PaymentEventKind.HELD,
        PaymentEventKind.CONFIRMED,
        PaymentEventKind.REFUSED,
        PaymentEventKind.ENDED,
        PaymentEventKind.REDUCED,
        PaymentEventKind.RETURN_REFUSED,
    }
)
OWN_KINDS: Final = LEDGER_KINDS | {
    PaymentEventKind.STARTED,
    PaymentEventKind.CHECKED,
    PaymentEventKind.REFUND_ORDERED,
}


class PaymentEvent(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One event. ``id`` is its source's: the provider's event id, the ledger's offset.

    ``amount`` of the ledger's is what the purchase is worth afterwards; of the provider's what is authorized, or the
    total captured or refunded so far. ``request`` is the request of ours that it answers. ``url`` is where the buyer
    pays, ``detail`` the provider's reason. ``fee`` is the provider's, in total so far.

    Of a start, ``account``, ``amount``, ``currency``, ``ledger_offset`` and ``deadline`` are the hold's, where that may
    not have been read yet. Of a dispute ``account`` is the organizer. Of a refund that was ordered: ``account`` is who
    ordered it, ``reason`` why, ``request`` its id. Without ``amount`` it is of the tickets that the ledger gives back
    by the request of the same id. Where the ledger refuses such a request, ``reason`` is the ledger's.
    """

    id: Annotated[str, Meta(min_length=1, max_length=255)]
    kind: PaymentEventKind
    event: UUID
    purchase: UUID
    at: Time
    provider: ProviderName | None = None
    account: UUID | None = None
    amount: Amount | None = None
    currency: CurrencyCode | None = None
    reference: Reference = ""
    request: UUID | None = None
    ledger_offset: int = -1
    deadline: Time | None = None
    url: Annotated[str, Meta(max_length=2_000)] = ""
    detail: Annotated[str, Meta(max_length=DETAIL_MAX_CHARS, pattern=r"^[^\x00]*\Z")] = ""
    reason: Annotated[str, Meta(max_length=REASON_MAX_CHARS, pattern=r"^[^\x00]*\Z")] = ""
    fee: Amount | None = None


def failure_of(request: PaymentRequest, at: datetime, detail: str) -> PaymentEvent:
    """The event that a request was not carried out, and why."""
    return PaymentEvent(
        id=f"{request.id}",
        kind=PaymentEventKind.FAILED,
        event=request.event,
        purchase=request.purchase,
        at=at,
        provider=request.provider,
        request=request.id,
        detail=detail_of(detail),
    )


def detail_of(text: str) -> str:
    """As much of a provider's reason as an event can have."""
    return text.replace("\0", "")[:DETAIL_MAX_CHARS]


_decode: Final = json_decoder(PaymentEvent)
encode_payment_event: Final[Callable[[PaymentEvent], bytes]] = encode_json


def decode_payment_event(value: bytes | None) -> PaymentEvent:
    """Decode a record's value. Raises MalformedRecord, also for amounts and times that can't be stored."""
    event = _decode(value)
    for amount in (event.amount, event.fee):
        if amount is not None:
            check_amount(amount)
    if not -1 <= event.ledger_offset <= OFFSET_MAX:
        raise MalformedRecord("the offset is out of range - at `$.ledgerOffset`")
    check_time("at", event.at)
    check_time("deadline", event.deadline)
    return event
