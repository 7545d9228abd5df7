"""Paper: the provider of the embedded stack (stack/paper.py), for trying everything without money."""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from providers.minor_units import from_minor, to_minor
from providers.pipelined import PipelinedClient
from providers.port import (
    CALL_TIMEOUT_S,
    WEBHOOK_MAX_AGE_S,
    PageFields,
    PaymentQuestion,
    ProviderUnavailable,
    WebhookRefused,
)
from tables.errors import MalformedRecord
from tables.messages.encoding import decode_json
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, detail_of, failure_of
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind

NAME: Final = "paper"
# The signature of a webhook is an HMAC-SHA256 of its time, in seconds since 1970, and its body.
SIGNATURE_HEADER: Final = "paper-signature"
_SIGNATURE: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
Minor = Annotated[int, Meta(ge=0, le=10**15)]
K, R = PaymentEventKind, PaymentRequestKind
KEY_REFUSED: Final = frozenset({401, 403})
# Any other status tells nothing of the payment: taken for its failure, that of a proxy that leads elsewhere would take
# back tickets that were sold.
DONE, REFUSED, UNKNOWN = 200, 422, 404
_PATHS: Final = {R.CAPTURE: "capture", R.VOID: "void", R.REFUND: "refund"}
_STATES: Final = {"open": K.OPENED, "declined": K.DECLINED, "authorized": K.AUTHORIZED, "voided": K.VOIDED}


class PaperPayment(Struct, frozen=True):
    """A payment in Paper's books. Amounts are minor units."""

    reference: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*\Z")]
    event: UUID
    purchase: UUID
    currency: str
    state: str
    amount: Minor
    captured: Minor = 0
    refunded: Minor = 0
    url: Annotated[str, Meta(max_length=2_000)] = ""
    reason: str = ""


class PaperNotice(Struct, frozen=True):
    """A webhook: the payment after something has happened to it."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: str
    payment: PaperPayment
    request: UUID | None = None


_notices: Final = msgspec.json.Decoder(PaperNotice)


class PaperProvider:
    """Paper behind the port."""

    name = NAME
    asks_about_webhooks = False

    def __init__(self, url: str, key: str, site_url: str = "", timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._site_url = site_url
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._client = PipelinedClient(url, headers, timeout_s)
        self._key = key.encode()

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        """Carry out a request, once by its id, and tell what happened. Raises ProviderUnavailable."""
        try:
            amount = to_minor(request.amount, request.currency)
        except MalformedRecord as error:
            return [failure_of(request, datetime.now(UTC), str(error))]
        body: dict[str, object] = {"amount": amount, "currency": request.currency}
        body |= {"event": request.event, "purchase": request.purchase}
        body["return_url"] = f"{self._site_url}/purchases/{request.event}.{request.purchase}/payment"
        place = "/payments" if request.kind is R.AUTHORIZE else f"{_place(request)}/{_PATHS[request.kind]}"
        status, answer = await self._client.call("POST", place, body, **{"Idempotency-Key": str(request.id)})
        if status in KEY_REFUSED:
            raise ProviderUnavailable("the key is refused")
        if status == REFUSED and isinstance(answer, dict) and "error" in answer:
            return [failure_of(request, datetime.now(UTC), str(answer["error"]))]
        _check_done(status)
        payment = _payment(answer, request)
        return [_told(kind, payment, f"{request.id}", request.id) for kind in _kinds(payment, of=request.kind)]

    async def look(self, question: PaymentQuestion) -> list[PaymentEvent]:
        """What Paper knows of a payment now; empty if it knows none. Raises ProviderUnavailable."""
        status, answer = await self._client.call("GET", _place(question))
        if status == UNKNOWN:
            return []
        _check_done(status)
        payment = _payment(answer, question)
        return [_told(kind, payment, f"look {datetime.now(UTC).isoformat()}") for kind in _kinds(payment)]

    def page_fields(self, reference: str) -> PageFields | None:
        """Paper has a page of its own."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        """The events of a webhook, checked. Raises WebhookRefused, MalformedRecord."""
        check_signature(self._key, headers.get(SIGNATURE_HEADER, ""), body, now)
        notice = decode_json(_notices, body, MalformedRecord)
        if notice.kind not in _STATES.values() and notice.kind not in (K.CAPTURED, K.REFUNDED, K.DISPUTED):
            raise WebhookRefused(f"{notice.kind} is not a kind of notice")
        return [_told(K(notice.kind), notice.payment, notice.id, notice.request)]


def _place(asked: PaymentRequest | PaymentQuestion) -> str:
    return f"/payments/{asked.event}.{asked.purchase}"


def _check_done(status: int) -> None:
    if status != DONE:
        raise ProviderUnavailable(f"status {status}")


def _payment(answer: object, asked: PaymentRequest | PaymentQuestion) -> PaperPayment:
    try:
        payment = msgspec.convert(answer, PaperPayment)
    except msgspec.ValidationError as error:
        raise ProviderUnavailable("an answer that is not a payment") from error
    if (payment.event, payment.purchase, payment.currency) != (asked.event, asked.purchase, asked.currency):
        raise ProviderUnavailable("an answer about another payment")
    return payment


def _kinds(payment: PaperPayment, of: PaymentRequestKind | None = None) -> list[PaymentEventKind]:
    """What a payment's books say; after a refund only that, since the rest is known."""
    kinds = [_STATES[payment.state]] if payment.state in _STATES and not payment.captured else []
    if payment.captured and of is not R.REFUND:
        kinds.append(K.CAPTURED)
    if payment.refunded:
        kinds.append(K.REFUNDED)
    return kinds


def _told(kind: PaymentEventKind, payment: PaperPayment, source: str, request: UUID | None = None) -> PaymentEvent:
    amounts = {K.CAPTURED: payment.captured, K.REFUNDED: payment.refunded, K.DISPUTED: payment.captured, K.VOIDED: 0}
    return PaymentEvent(
        id=source,
        kind=kind,
        event=payment.event,
        purchase=payment.purchase,
        at=datetime.now(UTC),
        provider=NAME,
        amount=from_minor(amounts.get(kind, payment.amount), payment.currency),
        currency=payment.currency,
        reference=payment.reference,
        request=request,
        url=payment.url,
        detail=detail_of(payment.reason),
    )


def signature_of(key: bytes, at: int, body: bytes) -> str:
    """The header's value for a body that is signed at ``at``."""
    digest = hmac.new(key, b"%d." % at + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def check_signature(key: bytes, header: str, body: bytes, now: float) -> None:
    """Raise WebhookRefused unless the body was signed with ``key`` within WEBHOOK_MAX_AGE_S of ``now``."""
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        raise WebhookRefused("the signature is missing or malformed")
    at = int(found[1])
    if not hmac.compare_digest(signature_of(key, at, body), header):
        raise WebhookRefused("the signature does not fit the body")
    if abs(now - at) > WEBHOOK_MAX_AGE_S:
        raise WebhookRefused("the signature is too old")
