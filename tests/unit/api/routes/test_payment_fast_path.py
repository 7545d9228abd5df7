"""Fast path and routes of payments answer alike; only what is plainly simple takes the fast path."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from api.http_application import PAYMENT_ROUTE, PURCHASES_ROUTE, WEBHOOK_ROUTE, HttpApplication, fast_route
from api.paying.payments import start
from api.problems import Refused
from api.purchasing.service import PurchaseFastPath
from api.routes.payment_fast_path import PaymentFastPath
from api.schemas.purchase import Payment, Purchase, public_id
from api.telemetry.request_metrics import RequestCounters
from api.web.raw_response import RawResponse
from api.web.wsgi_threads import WsgiThreads
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tests.unit.api.asgi import ask
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.looking import threads_while
from tests.unit.api.routes.test_payments import DOOR, EVENT, OTHER, OWNER, PATH, PRICE, PURCHASE

BODY = '{"id": 1}'
JSON = {"Content-Type": "application/json"}
SIGNED = JSON | {"Paper-Signature": "good"}


def nothing_else(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise AssertionError("the fast path has left the request to the framework")


class Ways:
    """The application with the fast path alone, and with the routes alone."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counters = RequestCounters()
        ports, routed = world.app.extensions["turnstile"], world.app.wsgi_app
        self.fast_path = PaymentFastPath(ports)
        purchases = PurchaseFastPath(ports)
        self.fast = HttpApplication(purchases, WsgiThreads(nothing_else), self.counters, payment=self.fast_path.take)
        self.routed = HttpApplication(purchases, WsgiThreads(routed.inner), self.counters)  # type: ignore[attr-defined]

    def both(self, state: str, target: str, body: str, headers: dict[str, str]) -> list[Any]:
        """Status, headers, body, and what was told, by each way from the same state."""
        answers = []
        for application in (self.fast, self.routed):
            self.world.payments.told.clear()
            self.world.payments.hold(EVENT, PURCHASE, state)
            start, *pieces = ask(application, "POST", target, body, headers)
            told = [(event.kind, event.account) for event in self.world.payments.told]
            whole = b"".join(piece["body"] for piece in pieces)
            answers.append((start["status"], sorted(start["headers"]), whole, told))
        return answers

    def bearer(self, account: UUID) -> dict[str, str]:
        token, _ = self.world.tokens.issue(account, frozenset())
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def ways(world: World) -> Ways:
    due = Payment(due=PRICE, deadline=NOW, url="/pay")
    world.sales.rows[EVENT, PURCHASE] = Purchase(
        id=public_id(EVENT, PURCHASE), event_id=EVENT, account_id=OWNER, status="held", payment=due
    )
    return Ways(world)


@pytest.mark.parametrize("state", ["due", "authorizing", "declined", "captured"])
@pytest.mark.parametrize("account", [OWNER, OTHER])
def test_a_payment_is_started_alike(ways: Ways, state: str, account: UUID) -> None:
    one, other = ways.both(state, PATH, "", ways.bearer(account))
    assert one == other
    assert one[0] == (404 if account == OTHER else 202 if state == "authorizing" else 200)
    assert ways.counters.counts["POST", PAYMENT_ROUTE, str(one[0])] == 2


@pytest.mark.parametrize("signature", ["good", "forged"])
@pytest.mark.parametrize("kind", [PaymentEventKind.AUTHORIZED, PaymentEventKind.DISPUTED])
@pytest.mark.parametrize("is_down", [False, True])
def test_a_webhook_is_taken_alike(ways: Ways, signature: str, kind: PaymentEventKind, is_down: bool) -> None:
    told = PaymentEvent(id="1", kind=kind, event=EVENT, purchase=PURCHASE, at=NOW)
    ways.world.payments.webhooks[BODY.encode()] = [told]
    ways.world.payments.down = is_down
    one, other = ways.both("due", DOOR, BODY, SIGNED | {"Paper-Signature": signature})
    assert one == other
    assert one[0] == (400 if signature == "forged" else 503 if is_down else 200)
    assert ways.counters.counts["POST", WEBHOOK_ROUTE, str(one[0])] == 2


def test_an_invalid_token_is_refused_alike(ways: Ways) -> None:
    one, other = ways.both("due", PATH, "", {"Authorization": "Bearer x"})
    assert one == other
    assert one[0] == 401


@pytest.mark.parametrize(
    ("method", "target", "body", "headers"),
    [
        ("GET", PATH, "", {"Authorization": "Bearer x"}),
        ("POST", f"{PATH}/", "", {"Authorization": "Bearer x"}),
        ("POST", PATH, "{}", {"Authorization": "Bearer x"}),
        ("POST", PATH, "", {}),
        ("POST", f"{PATH}?a=b", "", {"Authorization": "Bearer x"}),
        *(("POST", DOOR, body, SIGNED) for body in ("", "x", "{", "[]", "[" * 100_000)),
        ("POST", DOOR, BODY, {"Paper-Signature": "good"}),
        ("POST", DOOR, BODY, SIGNED | {"Content-Encoding": "gzip"}),
        ("POST", DOOR, BODY, SIGNED | {"Transfer-Encoding": "chunked"}),
        ("POST", f"{DOOR}?a=b", BODY, SIGNED),
        # Of this one the provider may have to be asked, which blocks.
        ("POST", "/api/v3/payment-webhooks/stripe", BODY, SIGNED),
    ],
)
def test_everything_else_is_left_to_the_routes(
    ways: Ways, method: str, target: str, body: str, headers: dict[str, str]
) -> None:
    fields = {name.lower().encode(): value.encode() for name, value in headers.items()}
    assert ways.fast_path.take(method.encode(), target.encode(), fields, body.encode()) is None


def test_a_request_of_the_server_is_answered_and_counted_without_asgi(ways: Ways) -> None:
    ways.world.payments.hold(EVENT, PURCHASE, "captured")
    ways.world.payments.webhooks[BODY.encode()] = []
    asked = {PATH: (ways.bearer(OWNER), b"", PAYMENT_ROUTE), DOOR: (SIGNED, BODY.encode(), WEBHOOK_ROUTE)}
    for target, (headers, body, route) in asked.items():
        fields = {name.lower().encode(): value.encode() for name, value in headers.items()}
        answer = ways.fast.take(b"POST", target.encode(), fields, body, {})
        assert answer is not None
        assert asyncio.run(whole(answer)).status == 200
        assert ways.counters.counts["POST", route, "200"] == 1
    assert ways.counters.in_flight == 0
    assert fast_route(b"/api/v3/purchases") == PURCHASES_ROUTE


async def whole(answer: Awaitable[RawResponse]) -> RawResponse:
    return await answer


def test_those_who_start_payments_that_no_server_tells_leave_the_loop_its_threads(world: World) -> None:
    found = Purchase(id=public_id(EVENT, PURCHASE), event_id=EVENT, status="held")

    async def starting(look: Callable[..., None]) -> None:
        def purchase() -> Purchase:
            look()
            return found

        with suppress(Refused):
            await start(world.app.extensions["turnstile"], (EVENT, PURCHASE), lambda account: True, purchase)

    assert asyncio.run(threads_while(starting))
