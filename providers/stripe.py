"""Stripe behind the port: PaymentIntents that are captured by hand, with the official library."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import stripe
from msgspec import Struct
from stripe import (
    AuthenticationError,
    CardError,
    HTTPClient,
    InvalidRequestError,
    PermissionError,  # noqa: A004 (Stripe's)
    StripeClient,
    StripeError,
)

from providers.http import RetryingClient
from providers.port import CALL_TIMEOUT_S, PageFields, PaymentQuestion, ProviderUnavailable
from providers.stripe_objects import (
    NAME,
    StripeCharge,
    StripeDispute,
    StripeIntent,
    StripeRefund,
    StripeRefunds,
    Subject,
    charge_events,
    check_answer,
    intent_events,
    intent_of,
    object_of,
    refund_events,
    stripe_event,
    stripe_minor,
    subject_of,
)
from providers.stripe_webhooks import SIGNATURE_HEADER, read_notice
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, failure_of
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind

# It would keep an id of this installation in the user's home, and report how long calls take.
stripe.enable_telemetry = False

URL: Final = "https://api.stripe.com"
# A request of ours is at most two calls.
REQUEST_TIMEOUT_S: Final = CALL_TIMEOUT_S / 2
REFUNDS_MAX: Final = 100
THREADS: Final = 16
_CHARGE: Final = {"expand": ["latest_charge.balance_transaction"]}
K, R = PaymentEventKind, PaymentRequestKind
Asked = TypeVar("Asked")


class StripeKeys(Struct, frozen=True):
    """The secret key, the key for browsers, and the secret that signs webhooks."""

    secret: str
    browser: str
    webhook: str


class _Transport(HTTPClient):  # type: ignore[misc, unused-ignore]
    """The library's requests, with one deadline for each."""

    name = "urllib3"

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._client = RetryingClient(timeout_s)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self._client.send(method.upper(), url, post_data, headers)
        check_answer(answer.body)
        return answer.body.decode("utf-8", "replace"), answer.status, answer.headers


class StripeProvider:
    """Stripe behind the port. Its library blocks, so it is called in threads."""

    name = NAME
    asks_about_webhooks = True

    def __init__(self, keys: StripeKeys, site_url: str, url: str = URL, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        self._keys = keys
        self._site_url = site_url
        addresses = {"api": url}
        transport = _Transport(timeout_s)
        client = StripeClient(keys.secret, base_addresses=addresses, http_client=transport, max_network_retries=0)
        self._intents, self._refunds = client.v1.payment_intents, client.v1.refunds
        self._threads = ThreadPoolExecutor(THREADS, "stripe")

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        """Carry out a request, once by its id, and tell what happened. Raises ProviderUnavailable."""
        return await self._in_thread(self._carry_out, request)

    async def look(self, question: PaymentQuestion) -> list[PaymentEvent]:
        """What Stripe knows of a payment now; empty without its reference. Raises ProviderUnavailable."""
        return await self._in_thread(self._answer, question)

    def page_fields(self, reference: str) -> PageFields | None:
        """For the card's fields. Raises ProviderUnavailable."""
        with _answering():
            return PageFields(self._keys.browser, self._retrieve(reference).client_secret or "")

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        """The events of a webhook, checked; none for what does not concern us.

        Raises WebhookRefused, MalformedRecord, and ProviderUnavailable where the payment can't be read.
        """
        del now  # The library takes the time itself.
        notice = read_notice(body, headers.get(SIGNATURE_HEADER), self._keys.webhook)
        subject = subject_of(notice.metadata, self._site_url, notice.id)
        if isinstance(notice.about, StripeDispute):
            return self._disputed(notice.about, notice.id)
        if subject is None:
            return []
        if isinstance(notice.about, StripeCharge):
            return self._booked(notice.about, subject) if notice.is_booking else charge_events(notice.about, subject)
        return [] if notice.about is None else intent_events(notice.about, subject)

    async def _in_thread(self, ask: Callable[[Asked], list[PaymentEvent]], asked: Asked) -> list[PaymentEvent]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, asked)

    def _carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        subject = Subject(request.event, request.purchase, self._site_url, f"{request.id}", request.id)
        with _answering():
            try:
                return self._do(request, subject)
            except MalformedRecord as error:
                return [failure_of(request, datetime.now(UTC), str(error))]
            except (CardError, InvalidRequestError) as error:
                return self._refused(request, subject, error)

    def _refused(
        self, request: PaymentRequest, subject: Subject, error: CardError | InvalidRequestError
    ) -> list[PaymentEvent]:
        """What a refused request means. Raises ProviderUnavailable, StripeError.

        The payment may have been captured or canceled before: what it is now is the answer. A capture that is invalid
        tells nothing else of the payment, and must not take back sold tickets: with the key of another account, every
        payment is unknown.
        """
        is_invalid_capture = request.kind is R.CAPTURE and isinstance(error, InvalidRequestError)
        if is_invalid_capture or error.code == "payment_intent_unexpected_state":
            if known := self._look(request.reference, subject):
                return known
            if is_invalid_capture:
                raise ProviderUnavailable(f"a capture is refused: {error.code or error.http_status}")
        return [failure_of(request, datetime.now(UTC), str(error.code or error.http_status))]

    def _answer(self, question: PaymentQuestion) -> list[PaymentEvent]:
        source = f"look {datetime.now(UTC).isoformat()}"
        with _answering():
            return self._look(question.reference, Subject(question.event, question.purchase, self._site_url, source))

    def _do(self, request: PaymentRequest, subject: Subject) -> list[PaymentEvent]:
        once: Any = {"idempotency_key": str(request.id)}
        amount = stripe_minor(request.amount, request.currency)
        if request.kind is R.AUTHORIZE:
            return intent_events(self._create(request, amount, once), subject)
        if request.kind is R.CAPTURE:
            captured = self._intents.capture(request.reference, {"amount_to_capture": amount, **_CHARGE}, once)
            return intent_events(intent_of(captured.to_dict()), subject)
        if request.kind is R.REFUND:
            return refund_events(self._refund(request, amount, once), subject)
        if not request.reference:
            # Nobody can pay what nobody was told of.
            return [stripe_event(K.VOIDED, subject, "", 0, request.currency)]
        return intent_events(intent_of(self._intents.cancel(request.reference, _CHARGE, once).to_dict()), subject)

    def _create(self, request: PaymentRequest, amount: int, once: Any) -> StripeIntent:
        params: Any = {
            "amount": amount,
            "currency": request.currency.lower(),
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"event": str(request.event), "purchase": str(request.purchase)},
        }
        return intent_of(self._intents.create(params, once).to_dict())

    def _refund(self, request: PaymentRequest, amount: int, once: Any) -> StripeIntent:
        """Refund once, also after Stripe has forgotten the idempotency key, which it does after a day."""
        listed = self._refunds.list({"payment_intent": request.reference, "limit": REFUNDS_MAX}).to_dict()
        made = object_of(listed, StripeRefunds).data
        if any((refund.metadata or {}).get("request") == str(request.id) for refund in made):
            return self._retrieve(request.reference)
        params: Any = {
            "payment_intent": request.reference,
            "amount": amount,
            "metadata": {"request": str(request.id)},
            "expand": ["payment_intent.latest_charge"],
        }
        found = object_of(self._refunds.create(params, once).to_dict(), StripeRefund).payment_intent
        return found if isinstance(found, StripeIntent) else self._retrieve(request.reference)

    def _look(self, reference: str, subject: Subject) -> list[PaymentEvent]:
        if not reference:
            return []
        try:
            return intent_events(self._retrieve(reference), subject)
        except InvalidRequestError as error:
            if error.http_status == 404:
                return []
            raise

    def _retrieve(self, reference: str) -> StripeIntent:
        return intent_of(self._intents.retrieve(reference, _CHARGE).to_dict())

    def _booked(self, charge: StripeCharge, subject: Subject) -> list[PaymentEvent]:
        """Stripe may book the money, and know its fee, only after it was captured."""
        with _answering():
            return self._look(charge.payment_intent or "", subject)

    def _disputed(self, dispute: StripeDispute, source: str) -> list[PaymentEvent]:
        """A dispute does not name the purchase, so its payment is read."""
        if dispute.payment_intent is None:
            return []
        with _answering():
            intent = self._retrieve(dispute.payment_intent)
        subject = subject_of(intent.metadata, self._site_url, source)
        if subject is None:
            return []
        return [stripe_event(K.DISPUTED, subject, intent.id, dispute.amount, dispute.currency, dispute.reason)]


@contextmanager
def _answering() -> Iterator[None]:
    """Raises ProviderUnavailable for an error of Stripe's library, which tells nothing of the payment."""
    try:
        yield
    except StripeError as error:
        is_key = isinstance(error, (AuthenticationError, PermissionError))
        raise ProviderUnavailable("the key is refused" if is_key else type(error).__name__) from error
