"""Paper behind the port, against Paper's own application, its notices included."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import urllib3

from providers.paper import SIGNATURE_HEADER, PaperProvider, signature_of
from providers.port import WEBHOOK_MAX_AGE_S, PaymentQuestion, ProviderUnavailable, WebhookRefused
from stack.paper import RETRY_FIRST_S, Paper
from stack.paper_books import PaperBooks
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind
from tests.unit.providers.asked import Asked
from tests.unit.providers.paper_process import KEY, running_paper

K, R = PaymentEventKind, PaymentRequestKind
EVENT, ADA = UUID(int=1), UUID(int=2)
PRICE = Decimal("49.90")


class Shop:
    """One purchase at Paper."""

    def __init__(self, folder: Path, url: str) -> None:
        self.purchase = uuid4()
        self.provider = Asked(PaperProvider(url, KEY, "http://shop.example"))
        self.url = url
        self.folder = folder

    def ask(self, kind: PaymentRequestKind, amount: Decimal = PRICE, **more: Any) -> list[PaymentEvent]:
        return self.provider.carry_out(self.request(kind, amount, **more))

    def request(self, kind: PaymentRequestKind, amount: Decimal = PRICE, **more: Any) -> PaymentRequest:
        fields: dict[str, Any] = {"id": uuid4(), "event": EVENT, "purchase": self.purchase, "account": ADA}
        fields |= {"kind": kind, "provider": "paper", "amount": amount, "currency": "EUR"}
        return PaymentRequest(**(fields | more))

    def choose(self, choice: str) -> None:
        [book] = [one for one in self.books() if one["purchase"] == str(self.purchase)]
        page = f"{self.url}/pay/{book['reference']}"
        answer = urllib3.request("POST", page, fields={"choice": choice}, redirect=False)
        assert (answer.status, answer.headers["Location"]) == (303, book["return_url"])

    def look(self) -> list[tuple[str, Decimal | None]]:
        found = self.provider.look(PaymentQuestion(EVENT, self.purchase, "EUR", ""))
        return [(event.kind.value, event.amount) for event in found]

    def books(self) -> list[dict[str, Any]]:
        return list(urllib3.request("GET", f"{self.url}/books.json").json())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with running_paper(tmp_path) as (_, url, _run):
        made = Shop(tmp_path, url)
        yield made
        made.provider.close()


def test_purchases_of_two_events_with_one_id_are_two_payments(shop: Shop) -> None:
    [first] = shop.ask(R.AUTHORIZE)
    shop.choose("approve")
    [second] = shop.ask(R.AUTHORIZE, event=uuid4())
    assert second.reference != first.reference
    assert second.kind is K.OPENED
    assert shop.look() == [("authorized", PRICE)]


def test_a_payment_is_opened_paid_captured_and_refunded(shop: Shop) -> None:
    [opened] = shop.ask(R.AUTHORIZE)
    assert (opened.kind, opened.amount, opened.url) == (K.OPENED, PRICE, f"http://paper.example/pay/{opened.reference}")
    shop.choose("decline")
    assert shop.look() == [("declined", PRICE)]
    shop.choose("approve")
    assert shop.look() == [("authorized", PRICE)]
    [captured] = shop.ask(R.CAPTURE, Decimal("39.90"))
    assert (captured.kind, captured.amount) == (K.CAPTURED, Decimal("39.90"))
    [part] = shop.ask(R.REFUND, Decimal(10))
    [rest] = shop.ask(R.REFUND, Decimal("29.90"))
    assert (part.amount, rest.amount) == (Decimal(10), Decimal("39.90"))
    assert shop.look() == [("captured", Decimal("39.90")), ("refunded", Decimal("39.90"))]


def test_a_request_is_carried_out_once(shop: Shop) -> None:
    shop.ask(R.AUTHORIZE)
    shop.choose("lose")
    shop.ask(R.CAPTURE)
    refund = shop.request(R.REFUND, Decimal(10))
    assert [shop.provider.carry_out(refund)[0].amount for _ in range(3)] == [Decimal(10)] * 3
    assert shop.books()[0]["refunded"] == 1_000


@pytest.mark.parametrize(("kind", "amount"), [(R.CAPTURE, PRICE), (R.REFUND, PRICE), (R.REFUND, Decimal(0))])
def test_what_cant_be_done_is_told(shop: Shop, kind: PaymentRequestKind, amount: Decimal) -> None:
    shop.ask(R.AUTHORIZE)
    request = shop.request(kind, amount)
    [failed] = shop.provider.carry_out(request)
    assert (failed.kind, failed.request, bool(failed.detail)) == (K.FAILED, request.id, True)


def test_a_payment_that_was_voided_before_it_was_made_is_never_opened(shop: Shop) -> None:
    assert [event.kind for event in shop.ask(R.VOID, Decimal(0))] == [K.VOIDED]
    assert [event.kind for event in shop.ask(R.AUTHORIZE)] == [K.FAILED]


def test_a_payment_that_paper_does_not_know_is_told_as_nothing(shop: Shop) -> None:
    assert shop.look() == []


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "4990", 4990), ("KWD", "4.990", 4990), ("ISK", "7", 7)]
)
def test_amounts_have_the_decimals_of_their_currency(shop: Shop, currency: str, amount: str, minor: int) -> None:
    [opened] = shop.ask(R.AUTHORIZE, Decimal(amount), currency=currency)
    assert (opened.amount, shop.books()[0]["amount"]) == (Decimal(amount), minor)
    [failed] = shop.ask(R.AUTHORIZE, Decimal("0.0001"), currency=currency)
    assert (failed.kind, "decimals" in failed.detail) == (K.FAILED, True)


def test_without_the_key_nothing_is_done(shop: Shop) -> None:
    with Asked(PaperProvider(shop.url, "another-key")) as stranger, pytest.raises(ProviderUnavailable):
        stranger.carry_out(shop.request(R.AUTHORIZE))
    assert not shop.books()


def test_the_books_outlive_the_process(shop: Shop, tmp_path: Path) -> None:
    shop.ask(R.AUTHORIZE)
    again = PaperBooks(tmp_path / "payments.sqlite", "")
    assert [one["state"] for one in again.payments()] == ["open"]
    again.close()


def odd_payment(**change: Any) -> bytes:
    """A payment with something odd."""
    known = {"reference": "r", "event": str(EVENT), "purchase": str(ADA), "currency": "EUR", "state": "open"}
    return json.dumps(known | {"amount": 4990} | change).encode()


ODD_PAYMENTS: list[dict[str, Any]] = [
    {"event": str(ADA)},
    {"purchase": str(EVENT)},
    {"currency": "JPY"},
    {"currency": "coins"},
    {"reference": "a\0b"},
    {"reference": "r" * 65},
    {"url": "u" * 2_001},
    {"amount": -1},
]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        *((200, content) for content in (b"rubbish", b'{"reference": 1}', b"", b"\xff", b"[" * 100_000)),
        *((200, odd_payment(**change)) for change in ODD_PAYMENTS),
        *((401, content) for content in (b"{}", b"rubbish")),
        *((status, b"{}") for status in (403, 409, 422, 429, 500)),
        # Of a proxy that leads elsewhere: taken for a failure, it would take back tickets that were sold.
        *((status, b'{"error": "Not Found"}') for status in (301, 400, 404, 405, 413)),
        (302, odd_payment()),
        (503, b"x"),
    ],
)
def test_an_answer_that_tells_nothing_is_no_answer(status: int, content: bytes) -> None:
    class Odd(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        with Asked(PaperProvider(url, KEY, timeout_s=0.15)) as odd, pytest.raises(ProviderUnavailable):
            odd.carry_out(Shop(Path(), "").request(R.AUTHORIZE))
        server.shutdown()
        thread.join()


def test_a_call_whose_time_is_over_before_it_begins_is_tried_once() -> None:
    with Asked(PaperProvider("http://127.0.0.1:9", KEY, timeout_s=-1)) as nobody, pytest.raises(ProviderUnavailable):
        nobody.look(PaymentQuestion(EVENT, ADA, "EUR", ""))


def test_nobody_there_is_no_answer() -> None:
    with Asked(PaperProvider("http://127.0.0.1:9", KEY, timeout_s=0.1)) as nobody, pytest.raises(ProviderUnavailable):
        nobody.look(PaymentQuestion(EVENT, ADA, "EUR", ""))


class Notices:
    """Paper with a clock, and a shop that takes notices or not."""

    def __init__(self, folder: Path, *, hostile: bool = False) -> None:
        self.now = 1_900_000_000.0
        self.paper = Paper(PaperBooks(folder / "b.sqlite", ""), KEY.encode(), hostile=hostile, clock=lambda: self.now)
        self.sent: list[tuple[bytes, str]] = []
        self.takes = True

    def send(self) -> None:
        async def take(body: bytes, signature: str) -> bool:
            self.sent.append((body, signature))
            return self.takes

        asyncio.run(self.paper.send_due(take))

    def paid(self, choice: str) -> tuple[str, str]:
        """Its id at the shop, and its reference."""
        purchase = str(uuid4())
        asked = {"purchase": purchase, "event": str(EVENT), "amount": 4990, "currency": "EUR"}
        _, made = self.paper.carry_out("authorize", purchase, str(uuid4()), asked)
        self.paper.choose(made["reference"], choice)
        return made["shop_id"], made["reference"]


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    made = Notices(tmp_path)
    yield made
    made.paper.books.close()


def read(sent: tuple[bytes, str], now: float) -> list[PaymentEvent]:
    return PaperProvider("", KEY).read_webhook(sent[0], {SIGNATURE_HEADER: sent[1]}, now)


def test_a_notice_is_signed_and_sent_until_it_is_taken(notices: Notices) -> None:
    notices.paid("approve")
    notices.takes = False
    notices.send()
    notices.send()
    assert len(notices.sent) == 1
    notices.now += RETRY_FIRST_S
    notices.takes = True
    notices.send()
    notices.now += 3_600
    notices.send()
    [first, second] = notices.sent
    assert first[0] == second[0]
    [event] = read(second, 1_900_000_001.0)
    assert (event.kind, event.amount, event.currency) == (K.AUTHORIZED, PRICE, "EUR")


@pytest.mark.parametrize(("choice", "later_s", "told"), [("lose", 3_600, 0), ("delay", 1, 0), ("delay", 61, 1)])
def test_a_payment_may_be_told_later_or_never(notices: Notices, choice: str, later_s: int, told: int) -> None:
    notices.paid(choice)
    notices.now += later_s
    notices.send()
    assert len(notices.sent) == told


def test_a_payment_is_disputed_once_it_is_captured(notices: Notices) -> None:
    shop_id, reference = notices.paid("approve")
    assert notices.paper.choose(reference, "dispute") is None
    notices.paper.books.capture(shop_id, {"amount": 4_000})
    assert notices.paper.choose(reference, "dispute") is not None
    notices.send()
    [authorized, disputed] = [read(sent, notices.now)[0] for sent in notices.sent]
    assert (authorized.kind, disputed.kind, disputed.amount) == (K.AUTHORIZED, K.DISPUTED, Decimal(40))


def test_a_hostile_paper_drops_repeats_and_forges(tmp_path: Path) -> None:
    notices = Notices(tmp_path, hostile=True)
    for _ in range(100):
        notices.paid("approve")
    notices.send()
    early = len(notices.sent)
    notices.now += 60
    notices.send()
    bodies = [body for body, _ in notices.sent]
    forged = [sent for sent in notices.sent if not _is_good(sent, notices.now)]
    amounts = {json.loads(body)["payment"]["amount"] for body in bodies}
    assert 0 < early < len(bodies)
    assert len(set(bodies)) < min(100, len(bodies))
    assert forged
    assert amounts == {4990, 4991}
    notices.paper.books.close()


def _is_good(sent: tuple[bytes, str], now: float) -> bool:
    try:
        return bool(read(sent, now))
    except WebhookRefused:
        return False


BODY = json.dumps(
    {
        "id": "notice_1",
        "kind": "authorized",
        "payment": {
            "reference": "paper_1",
            "event": str(EVENT),
            "purchase": str(ADA),
            "currency": "EUR",
            "state": "authorized",
            "amount": 4990,
        },
    }
).encode()
NOW = datetime(2030, 5, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("signature", "body", "now", "said"),
    [
        ("", BODY, NOW, "malformed"),
        (signature_of(b"another", int(NOW), BODY), BODY, NOW, "fit"),
        (signature_of(KEY.encode(), int(NOW), BODY), BODY + b" ", NOW, "fit"),
        (signature_of(KEY.encode(), int(NOW), BODY), BODY, NOW + WEBHOOK_MAX_AGE_S + 1, "old"),
        (signature_of(KEY.encode(), int(NOW) + 1_000, BODY), BODY, NOW, "old"),
    ],
)
def test_a_webhook_that_is_forged_changed_or_stale_is_refused(
    signature: str, body: bytes, now: float, said: str
) -> None:
    assert read((BODY, signature_of(KEY.encode(), int(NOW), BODY)), NOW)[0].reference == "paper_1"
    with pytest.raises(WebhookRefused, match=said):
        read((body, signature), now)


@pytest.mark.parametrize("change", [{"payment": {}}, {"id": ""}, {"payment": None}, {"kind": None}])
def test_a_signed_webhook_that_is_malformed_names_its_field(change: dict[str, Any]) -> None:
    body = json.dumps(json.loads(BODY) | change).encode()
    with pytest.raises(MalformedRecord, match=r"\$\."):
        read((body, signature_of(KEY.encode(), int(NOW), body)), NOW)


def test_only_who_has_the_key_makes_paper_hostile(tmp_path: Path) -> None:
    with running_paper(tmp_path) as (paper, url, _):

        def put(key: str, mode: str) -> tuple[int, object]:
            answer = urllib3.request("PUT", f"{url}/mode", body=mode, headers={"Authorization": f"Bearer {key}"})
            return answer.status, answer.json().get("before") if answer.status == 200 else None

        assert put("nobody's", "hostile")[0] == 401
        assert put(KEY, "angry")[0] == 400
        assert paper.mode == "honest"
        assert put(KEY, "hostile") == (200, "honest")
        assert paper.mode == "hostile"
        assert put(KEY, "honest") == (200, "hostile")
