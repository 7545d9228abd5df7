"""What Stripe says of a payment, as events. They tell totals, so a repeat or an older one changes nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from providers.minor_units import from_minor, to_minor
from providers.port import ProviderUnavailable
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, detail_of

NAME: Final = "stripe"
Minor = Annotated[int, Meta(ge=0, le=10**15)]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*\Z")]
Found = TypeVar("Found")
K = PaymentEventKind
# Where Stripe's minor units are not those of ISO 4217: https://docs.stripe.com/currencies#special-cases
_DECIMALS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}
_STATES: Final = {
    "requires_payment_method": K.OPENED,
    "requires_confirmation": K.OPENED,
    "requires_action": K.OPENED,
    "processing": K.OPENED,
    "requires_capture": K.AUTHORIZED,
    "succeeded": K.CAPTURED,
    "canceled": K.VOIDED,
}


class StripeProblem(Struct, frozen=True):
    """Why a buyer could not pay."""

    message: str | None = None


class StripeBalance(Struct, frozen=True):
    """What a charge brought to the account: the fee is in the currency of the account."""

    currency: str
    fee: Minor


class StripeCharge(Struct, frozen=True):
    """A charge of a PaymentIntent, which also has its metadata.

    ``balance_transaction`` is an id unless it was asked for, and missing until the money is booked.
    """

    currency: str
    payment_intent: Id | None = None
    amount_refunded: Minor = 0
    balance_transaction: StripeBalance | Id | None = None
    metadata: dict[str, str] = {}


class StripeDispute(Struct, frozen=True):
    """The buyer's bank takes money back."""

    currency: str
    amount: Minor
    payment_intent: Id | None = None
    reason: str = ""


class StripeIntent(Struct, frozen=True):
    """A PaymentIntent. Amounts are Stripe's minor units. ``latest_charge`` is an id unless it was asked for."""

    id: Id
    status: str
    currency: str
    amount: Minor
    amount_capturable: Minor = 0
    amount_received: Minor = 0
    metadata: dict[str, str] = {}
    latest_charge: StripeCharge | str | None = None
    last_payment_error: StripeProblem | None = None
    client_secret: str | None = None


class StripeRefund(Struct, frozen=True):
    """A refund; its PaymentIntent is an id unless it was asked for."""

    payment_intent: StripeIntent | Id | None = None
    metadata: dict[str, str] | None = None


class StripeRefunds(Struct, frozen=True):
    """Some refunds."""

    data: list[StripeRefund]


class StripeFault(Struct, frozen=True):
    """Why Stripe did not do something."""

    code: str | None = None


class StripeAnswer(Struct, frozen=True):
    """Any answer: what Stripe's library needs of it, before that looks for more."""

    error: StripeFault | None = None


_answers: Final = msgspec.json.Decoder(StripeAnswer)


class Subject(Struct, frozen=True):
    """Which purchase an answer or a notice is about, where the buyer pays it, and the request that it answers."""

    event: UUID
    purchase: UUID
    site_url: str
    source: str
    request: UUID | None = None


def subject_of(metadata: Mapping[str, str], site_url: str, source: str) -> Subject | None:
    """The purchase that metadata names; None for a payment that is not of this deployment."""
    try:
        return Subject(UUID(metadata["event"]), UUID(metadata["purchase"]), site_url, source)
    except (KeyError, ValueError):
        return None


def stripe_minor(amount: Decimal, currency: str) -> int:
    """An amount as Stripe counts it. Raises MalformedRecord where Stripe has fewer decimals."""
    return to_minor(amount, currency, _DECIMALS.get(currency))


def check_answer(body: bytes) -> None:
    """Raise ProviderUnavailable unless an answer is what Stripe's library takes every one for: a JSON object."""
    try:
        _answers.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProviderUnavailable("an answer that is not an object") from error


def intent_of(answer: Any) -> StripeIntent:
    """A PaymentIntent in an answer. Raises ProviderUnavailable for anything else."""
    return object_of(answer, StripeIntent)


def object_of(answer: Any, kind: type[Found]) -> Found:
    """What is in an answer. Raises ProviderUnavailable for anything else."""
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise ProviderUnavailable(f"an answer that is not a {kind.__name__}") from error


def intent_events(intent: StripeIntent, subject: Subject) -> list[PaymentEvent]:
    """The state of a payment, and what was refunded if its charge was asked for."""
    kind = _STATES.get(intent.status)
    if kind is K.OPENED and intent.status == "requires_payment_method" and intent.last_payment_error:
        kind = K.DECLINED
    amounts = {K.AUTHORIZED: intent.amount_capturable, K.CAPTURED: intent.amount_received, K.VOIDED: 0}
    events = []
    if kind is not None:
        detail = (intent.last_payment_error and intent.last_payment_error.message) or ""
        amount = amounts.get(kind, intent.amount)
        event = stripe_event(kind, subject, intent.id, amount, intent.currency, detail)
        events.append(replace(event, fee=_fee(intent)) if kind is K.CAPTURED else event)
    return events + refund_events(intent, subject)


def _fee(intent: StripeIntent) -> Decimal | None:
    """Stripe's fee, if it is booked already, and in the currency that was paid."""
    charge = intent.latest_charge
    balance = charge.balance_transaction if isinstance(charge, StripeCharge) else None
    if not isinstance(balance, StripeBalance) or balance.currency != intent.currency:
        return None
    return _from_stripe(balance.fee, balance.currency.upper())


def refund_events(intent: StripeIntent, subject: Subject) -> list[PaymentEvent]:
    """What was refunded of a payment whose charge was asked for."""
    charge = intent.latest_charge
    if not isinstance(charge, StripeCharge) or not charge.amount_refunded:
        return []
    return [stripe_event(K.REFUNDED, subject, intent.id, charge.amount_refunded, intent.currency)]


def charge_events(charge: StripeCharge, subject: Subject) -> list[PaymentEvent]:
    """What was refunded of a charge; nothing for one that is of no PaymentIntent."""
    if charge.payment_intent is None:
        return []
    return [stripe_event(K.REFUNDED, subject, charge.payment_intent, charge.amount_refunded, charge.currency)]


def stripe_event(
    kind: PaymentEventKind, subject: Subject, reference: str, amount: int, currency: str, detail: str = ""
) -> PaymentEvent:
    """An event about a payment."""
    code = currency.upper()
    return PaymentEvent(
        id=subject.source,
        kind=kind,
        event=subject.event,
        purchase=subject.purchase,
        at=datetime.now(UTC),
        provider=NAME,
        amount=_from_stripe(amount, code),
        currency=code,
        reference=reference,
        request=subject.request,
        url=f"{subject.site_url}/purchases/{subject.event}.{subject.purchase}/card",
        detail=detail_of(detail),
    )


def _from_stripe(amount: int, currency: str) -> Decimal:
    try:
        return from_minor(amount, currency, _DECIMALS.get(currency))
    except MalformedRecord as error:
        raise ProviderUnavailable(f"a payment in {currency}") from error
