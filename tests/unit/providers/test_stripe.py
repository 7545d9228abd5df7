"""Stripe behind the port, against answers in Stripe's shapes that the test writes."""

import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from stripe import WebhookSignature, _telemetry_id

from providers.port import WEBHOOK_MAX_AGE_S, PaymentQuestion, ProviderUnavailable, WebhookRefused
from providers.stripe import StripeKeys, StripeProvider
from providers.stripe_objects import stripe_minor
from providers.stripe_webhooks import SIGNATURE_HEADER
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind
from tests.unit.providers.asked import Asked
from tests.unit.providers.stripe_server import (
    EVENT,
    PURCHASE,
    StripeServer,
    charge,
    intent,
    problem,
    refunds,
    running_stripe,
)

Json = dict[str, Any]
K, R = PaymentEventKind, PaymentRequestKind
KEYS = StripeKeys("sk_test_1", "pk_test_1", "whsec_1")
PRICE, NOTHING = Decimal("49.90"), Decimal(0)
PAGE = f"http://shop.example/purchases/{EVENT}.{PURCHASE}/card"


class Shop:
    """A server in Stripe's place, and the provider that asks it."""

    def __init__(self, server: StripeServer) -> None:
        self.server = server
        self.provider = StripeProvider(KEYS, "http://shop.example", server.url, timeout_s=0.3)
        self.asked = Asked(self.provider)

    def ask(
        self, kind: PaymentRequestKind, *answers: Json | tuple[int, Json | bytes], **more: Any
    ) -> list[PaymentEvent]:
        self.server.answers = [each if isinstance(each, tuple) else (200, each) for each in answers] or [(500, b"")]
        return self.asked.carry_out(request(kind, **more))

    def hear(self, kind: str, about: Json, *, at: float | None = None, key: str = KEYS.webhook) -> list[PaymentEvent]:
        body = json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": about}})
        signature = WebhookSignature.generate_signature_header(body, key, None if at is None else int(at))
        return self.provider.read_webhook(body.encode(), {SIGNATURE_HEADER: signature}, time.time())


def request(kind: PaymentRequestKind, **more: Any) -> PaymentRequest:
    fields: Json = {"id": uuid4(), "event": UUID(EVENT), "purchase": UUID(PURCHASE), "account": uuid4()}
    fields |= {"kind": kind, "provider": "stripe", "amount": PRICE, "currency": "EUR", "reference": "pi_1"}
    return PaymentRequest(**(fields | more))


def told(events: list[PaymentEvent]) -> list[tuple[PaymentEventKind, Decimal | None]]:
    return [(event.kind, event.amount) for event in events]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with running_stripe() as server:
        made = Shop(server)
        yield made
        made.asked.close()


def test_a_payment_is_made_to_be_captured_by_hand(shop: Shop) -> None:
    asked = uuid4()
    [opened] = shop.ask(R.AUTHORIZE, intent("requires_payment_method"), id=asked, reference="")
    assert (opened.kind, opened.amount, opened.currency, opened.reference) == (K.OPENED, PRICE, "EUR", "pi_1")
    assert (opened.url, opened.request, opened.provider) == (PAGE, asked, "stripe")
    [(method, path, form, key)] = shop.server.asked
    assert (method, path, key) == ("POST", "/v1/payment_intents", str(asked))
    assert (form["amount"], form["currency"], form["capture_method"]) == (["4990"], ["eur"], ["manual"])
    assert (form["metadata[event]"], form["metadata[purchase]"]) == ([EVENT], [PURCHASE])


def test_it_is_captured_canceled_and_refunded_under_the_ids_of_the_requests(shop: Shop) -> None:
    ids = [uuid4() for _ in range(3)]
    captured = shop.ask(R.CAPTURE, intent("succeeded", amount_received=4990), id=ids[0])
    voided = shop.ask(R.VOID, intent("canceled"), id=ids[1], amount=NOTHING)
    refund = {"id": "re_1", "object": "refund", "payment_intent": intent("succeeded", latest_charge=charge(1000))}
    refunded = shop.ask(R.REFUND, refunds(str(uuid4())), refund, id=ids[2], amount=Decimal(10))
    assert told(captured + voided + refunded) == [(K.CAPTURED, PRICE), (K.VOIDED, NOTHING), (K.REFUNDED, Decimal(10))]
    posted = [each for each in shop.server.asked if each[0] == "POST"]
    assert [key for *_, key in posted] == [str(each) for each in ids]
    assert [path for _, path, *_ in posted] == [
        "/v1/payment_intents/pi_1/capture", "/v1/payment_intents/pi_1/cancel", "/v1/refunds",
    ]  # fmt: skip
    assert posted[0][2]["amount_to_capture"] == ["4990"]
    assert (posted[2][2]["amount"], posted[2][2]["metadata[request]"]) == (["1000"], [str(ids[2])])


def test_a_refund_that_was_made_is_not_made_again_when_its_key_is_forgotten(shop: Shop) -> None:
    asked = uuid4()
    now = intent("succeeded", amount_received=4990, latest_charge=charge(1000))
    assert told(shop.ask(R.REFUND, refunds(str(asked)), now, id=asked)) == [(K.REFUNDED, Decimal(10))]
    assert {method for method, *_ in shop.server.asked} == {"GET"}


def test_a_payment_that_nobody_was_told_of_is_voided_without_asking(shop: Shop) -> None:
    assert told(shop.ask(R.VOID, reference="", amount=NOTHING)) == [(K.VOIDED, NOTHING)]
    assert shop.server.asked == []


@pytest.mark.parametrize(
    ("state", "events"),
    [
        (intent("requires_payment_method"), [(K.OPENED, PRICE)]),
        (intent("requires_payment_method", last_payment_error={"message": "no funds"}), [(K.DECLINED, PRICE)]),
        (intent("requires_action"), [(K.OPENED, PRICE)]),
        (intent("requires_capture", amount_capturable=4000), [(K.AUTHORIZED, Decimal(40))]),
        (intent("canceled"), [(K.VOIDED, NOTHING)]),
        (
            intent("succeeded", amount_received=4990, latest_charge=charge(990)),
            [(K.CAPTURED, PRICE), (K.REFUNDED, Decimal("9.90"))],
        ),
        (intent("a state to come"), []),
    ],
)
def test_a_look_tells_the_totals(shop: Shop, state: Json, events: list[tuple[PaymentEventKind, Decimal]]) -> None:
    shop.server.answers = [(200, state)]
    found = shop.asked.look(PaymentQuestion(UUID(EVENT), UUID(PURCHASE), "EUR", "pi_1"))
    assert told(found) == events


def test_a_look_at_what_stripe_does_not_know_tells_nothing(shop: Shop) -> None:
    shop.server.answers = [(404, problem("invalid_request_error", "resource_missing"))]
    assert shop.asked.look(PaymentQuestion(UUID(EVENT), UUID(PURCHASE), "EUR", "pi_1")) == []
    assert shop.asked.look(PaymentQuestion(UUID(EVENT), UUID(PURCHASE), "EUR", "")) == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (409, problem("idempotency_error", "idempotency_key_in_use")),
        (429, problem("invalid_request_error", "rate_limit")),
        (500, b""),
        (503, b"<html>"),
        *((200, odd) for odd in (b"", b"null", b"[]", b'"x"', b"NaN", b"\xff", b"[" * 100_000, b'{"id": "pi_1"}')),
        (200, intent("requires_capture", amount=-1)),
        (400, {"error": []}),
        (400, {"error": "no"}),
        (402, {"error": {"code": ["card_declined"]}}),
        (401, problem("invalid_request_error", "api_key_expired")),
        (403, problem("invalid_request_error", "more_permissions_required")),
        (200, b"rubbish"),
        (200, {"id": "pi_1", "object": "payment_intent"}),
        (200, intent("succeeded", amount_received=-1)),
    ],
)
def test_an_answer_that_tells_nothing_is_no_answer(shop: Shop, status: int, answer: Json | bytes) -> None:
    with pytest.raises(ProviderUnavailable) as raised:
        shop.ask(R.CAPTURE, (status, answer))
    assert "internal" not in str(raised.value)


@pytest.mark.parametrize("made", [{}, {"data": None}, {"data": [1]}, {"data": [{"metadata": 5}]}])
def test_a_refund_is_not_made_where_those_before_it_are_not_told(shop: Shop, made: Json) -> None:
    with pytest.raises(ProviderUnavailable):
        shop.ask(R.REFUND, made)
    assert {method for method, *_ in shop.server.asked} == {"GET"}


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (402, problem("card_error", "card_declined")),
        (400, problem("invalid_request_error", "amount_too_large")),
        (404, problem("invalid_request_error", "resource_missing")),
    ],
)
def test_what_stripe_refuses_has_failed(shop: Shop, status: int, answer: Json) -> None:
    asked = uuid4()
    [failed] = shop.ask(R.AUTHORIZE, (status, answer), id=asked)
    assert (failed.kind, failed.request, failed.detail) == (K.FAILED, asked, answer["error"]["code"])


def test_a_declined_capture_has_failed(shop: Shop) -> None:
    [failed] = shop.ask(R.CAPTURE, (402, problem("card_error", "card_declined")))
    assert failed.kind is K.FAILED


def test_a_capture_that_is_invalid_tells_what_the_payment_is_now_and_takes_no_tickets_back(shop: Shop) -> None:
    """As an error of ours, or of another version of Stripe's, for all payments at once."""
    refused = (400, problem("invalid_request_error", "parameter_unknown"))
    assert told(shop.ask(R.CAPTURE, refused, intent("requires_capture", amount_capturable=4990))) == [
        (K.AUTHORIZED, PRICE)
    ]
    assert told(shop.ask(R.CAPTURE, refused, intent("canceled"))) == [(K.VOIDED, NOTHING)]


def test_a_capture_of_a_payment_that_the_key_does_not_know_is_no_answer(shop: Shop) -> None:
    """The key may be that of another account: every payment is missing there."""
    missing = (404, problem("invalid_request_error", "resource_missing"))
    with pytest.raises(ProviderUnavailable):
        shop.ask(R.CAPTURE, missing, missing)


def test_what_was_done_before_is_answered_with_what_it_is_now(shop: Shop) -> None:
    known = problem("invalid_request_error", "payment_intent_unexpected_state")
    assert told(shop.ask(R.CAPTURE, (400, known), intent("canceled"))) == [(K.VOIDED, NOTHING)]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
@pytest.mark.parametrize(
    ("kind", "code"), [(R.CAPTURE, "parameter_unknown"), (R.VOID, "payment_intent_unexpected_state")]
)
def test_a_refusal_whose_payment_can_t_be_read_is_no_answer(
    shop: Shop, kind: PaymentRequestKind, code: str, status: int
) -> None:
    refused = (400, problem("invalid_request_error", code))
    with pytest.raises(ProviderUnavailable):
        shop.ask(kind, refused, (status, problem("invalid_request_error", "parameter_unknown")))


def test_the_library_keeps_and_tells_no_id_of_the_installation(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(_telemetry_id, "_loaded", False)
    shop.ask(R.CAPTURE, intent("succeeded", amount_received=4990))
    assert list(tmp_path.iterdir()) == []


def test_nobody_answers(shop: Shop) -> None:
    shop.server.close()
    with pytest.raises(ProviderUnavailable):
        shop.ask(R.CAPTURE)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1234", "JPY", 1234), ("1.230", "KWD", 1230), ("500", "ISK", 50000), ("7", "MGA", 7), ("49.90", "EUR", 4990)],
)
def test_amounts_are_exact_in_the_units_that_stripe_counts(shop: Shop, amount: str, currency: str, minor: int) -> None:
    assert stripe_minor(Decimal(amount), currency) == minor
    state = intent("requires_capture", currency=currency.lower(), amount=minor, amount_capturable=minor)
    assert told(shop.ask(R.AUTHORIZE, state, currency=currency, amount=Decimal(amount))) == [
        (K.AUTHORIZED, Decimal(amount))
    ]


def test_an_amount_that_stripe_can_not_count_has_failed(shop: Shop) -> None:
    [failed] = shop.ask(R.AUTHORIZE, currency="MGA", amount=Decimal("7.2"))
    assert failed.kind is K.FAILED
    assert shop.server.asked == []


@pytest.mark.parametrize(
    ("kind", "about", "events"),
    [
        ("payment_intent.created", intent("requires_payment_method"), [(K.OPENED, PRICE)]),
        (
            "payment_intent.payment_failed",
            intent("requires_payment_method", last_payment_error={"message": None}),
            [(K.DECLINED, PRICE)],
        ),
        (
            "payment_intent.amount_capturable_updated",
            intent("requires_capture", amount_capturable=4990),
            [(K.AUTHORIZED, PRICE)],
        ),
        (
            "payment_intent.succeeded",
            intent("succeeded", amount_received=4990, latest_charge="ch_1"),
            [(K.CAPTURED, PRICE)],
        ),
        ("payment_intent.canceled", intent("canceled"), [(K.VOIDED, NOTHING)]),
        ("charge.refunded", charge(4990), [(K.REFUNDED, PRICE)]),
        ("customer.created", {"id": "cus_1"}, []),
        ("payment_intent.succeeded", intent("succeeded", metadata={}), []),
        ("charge.refunded", charge(4990) | {"metadata": {"event": "of another shop"}}, []),
        ("charge.refunded", charge(4990) | {"payment_intent": None}, []),
        ("charge.dispute.created", {"id": "dp_1", "payment_intent": None, "amount": 1, "currency": "eur"}, []),
    ],
)
def test_a_webhook_tells_totals(
    shop: Shop, kind: str, about: Json, events: list[tuple[PaymentEventKind, Decimal]]
) -> None:
    found = shop.hear(kind, about)
    assert told(found) == events
    assert {(event.id, event.reference) for event in found} <= {("evt_1", "pi_1")}


def test_a_dispute_is_told_of_the_purchase_that_its_payment_names(shop: Shop) -> None:
    dispute = {"id": "dp_1", "payment_intent": "pi_1", "amount": 4990, "currency": "eur", "reason": "fraudulent"}
    shop.server.answers = [(200, intent("succeeded"))]
    [disputed] = shop.hear("charge.dispute.created", dispute)
    assert (disputed.kind, str(disputed.purchase), disputed.detail) == (K.DISPUTED, PURCHASE, "fraudulent")
    shop.server.answers = [(200, intent("succeeded", metadata={}))]
    assert shop.hear("charge.dispute.created", dispute) == []
    shop.server.answers = [(503, b"")]
    with pytest.raises(ProviderUnavailable):
        shop.hear("charge.dispute.created", dispute)


def booked(fee: int, currency: str = "eur") -> Json:
    """A captured payment whose money is on the account."""
    balance = {"id": "txn_1", "object": "balance_transaction", "fee": fee, "currency": currency}
    return intent("succeeded", amount_received=4990, latest_charge=charge(0) | {"balance_transaction": balance})


@pytest.mark.parametrize(
    ("state", "fee"),
    [
        (booked(170), Decimal("1.70")),
        (booked(170, "usd"), None),
        (intent("succeeded", amount_received=4990, latest_charge=charge(0) | {"balance_transaction": None}), None),
        (intent("succeeded", amount_received=4990, latest_charge=charge(0) | {"balance_transaction": "txn_1"}), None),
        (intent("requires_capture", amount_capturable=4990), None),
    ],
)
def test_the_fee_is_told_with_what_was_captured_once_it_is_booked(shop: Shop, state: Json, fee: Decimal | None) -> None:
    shop.server.answers = [(200, state)]
    [found] = shop.asked.look(PaymentQuestion(UUID(EVENT), UUID(PURCHASE), "EUR", "pi_1"))
    assert found.fee == fee


def test_a_fee_that_is_booked_later_comes_by_a_webhook(shop: Shop) -> None:
    shop.server.answers = [(200, booked(170))]
    [captured] = shop.hear("charge.updated", charge(0))
    assert (captured.kind, captured.amount, captured.fee) == (K.CAPTURED, PRICE, Decimal("1.70"))
    assert shop.hear("charge.updated", charge(0) | {"payment_intent": None}) == []
    assert shop.hear("charge.updated", charge(0) | {"metadata": {}}) == []
    shop.server.answers = [(503, b"")]
    with pytest.raises(ProviderUnavailable):
        shop.hear("charge.updated", charge(0))


def test_a_webhook_that_is_forged_stale_or_malformed_is_refused(shop: Shop) -> None:
    with pytest.raises(WebhookRefused):
        shop.hear("charge.refunded", charge(1), key="whsec_2")
    with pytest.raises(WebhookRefused):
        shop.hear("charge.refunded", charge(1), at=time.time() - WEBHOOK_MAX_AGE_S - 5)
    with pytest.raises(WebhookRefused):
        shop.provider.read_webhook(b"{}", {}, time.time())
    with pytest.raises(WebhookRefused):
        shop.provider.read_webhook(b"{}", {SIGNATURE_HEADER: f"t={int(time.time())},v1=é"}, time.time())
    with pytest.raises(MalformedRecord):
        shop.hear("charge.refunded", charge(-1))
    with pytest.raises(MalformedRecord):
        shop.hear("charge.refunded", charge(1) | {"payment_intent": "pi\0"})
    with pytest.raises(MalformedRecord):
        shop.provider.read_webhook(b"\xff", {SIGNATURE_HEADER: "t=1,v1=x"}, time.time())


def test_the_page_gets_the_public_key_and_the_secret_of_its_payment(shop: Shop) -> None:
    shop.server.answers = [(200, intent("requires_payment_method"))]
    assert shop.provider.page_fields("pi_1") == ("pk_test_1", "pi_1_secret_x")
    shop.server.answers = [(503, b"")]
    with pytest.raises(ProviderUnavailable):
        shop.provider.page_fields("pi_1")


def test_the_library_never_holds_up_the_loop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(*_: Any) -> list[PaymentEvent]:
        threads.append(threading.current_thread())
        return []

    monkeypatch.setattr(shop.provider, "_do", noted)
    monkeypatch.setattr(shop.provider, "_look", noted)
    shop.asked.carry_out(request(R.CAPTURE))
    shop.asked.look(PaymentQuestion(UUID(EVENT), UUID(PURCHASE), "EUR", "pi_1"))
    assert len(threads) == 2
    assert threading.main_thread() not in threads
