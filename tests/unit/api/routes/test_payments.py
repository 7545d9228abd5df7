"""Payments over REST: starting, reading, and the door for webhooks."""

from decimal import Decimal
from threading import BoundedSemaphore
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from api.paying import payments
from api.roles import Role
from api.schemas.fields import Money
from api.schemas.purchase import Payment, Purchase, public_id
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import make_account
from tests.unit.api.pages.test_permissions import make_event

EVENT, PURCHASE, OWNER, OTHER = (UUID(int=number) for number in (1, 2, 3, 4))
PATH = f"/api/v3/purchases/{EVENT}.{PURCHASE}/payment"
DOOR = "/api/v3/payment-webhooks/paper"
PRICE = Money.of(Decimal("49.90"), "EUR")


@pytest.fixture
def owner(world: World) -> FlaskClient:
    """The buyer of a hold that must be paid."""
    due = Payment(due=PRICE, deadline=NOW, url="/pay")
    world.sales.rows[EVENT, PURCHASE] = Purchase(
        id=public_id(EVENT, PURCHASE), event_id=EVENT, account_id=OWNER, status="held", payment=due
    )
    world.payments.hold(EVENT, PURCHASE, "due")
    return world.client(OWNER)


def test_a_payment_is_started_once_and_tells_where_to_pay(world: World, owner: FlaskClient) -> None:
    answers = [owner.post(PATH), owner.post(PATH)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["Location"] == PATH
    shown = owner.get(PATH).get_json()
    assert (shown["state"], shown["url"], shown["due"]) == ("authorizing", "http://pay.example/1", PRICE.model_dump())
    [started] = world.payments.told
    assert (started.kind, started.purchase, started.provider) == (PaymentEventKind.STARTED, PURCHASE, "paper")
    # Nothing that the client says counts.
    assert started.amount is None


def fresh_hold(account: UUID = OWNER) -> PaymentEvent:
    return PaymentEvent(
        id=f"{EVENT}@7",
        kind=PaymentEventKind.HELD,
        event=EVENT,
        purchase=PURCHASE,
        at=NOW,
        account=account,
        amount=PRICE.exact,
        currency="EUR",
        ledger_offset=7,
    )


def test_the_payment_of_a_hold_that_was_just_made_starts_with_the_hold_itself(world: World, owner: FlaskClient) -> None:
    world.ledger.fresh[EVENT, PURCHASE] = fresh_hold()
    assert owner.post(PATH).get_json()["url"] == "http://pay.example/1"
    [started] = world.payments.told
    held = fresh_hold()
    assert (started.kind, started.provider) == (PaymentEventKind.STARTED, "paper")
    assert (started.account, started.amount, started.currency) == (held.account, held.amount, held.currency)
    assert (started.ledger_offset, started.deadline, started.id == held.id) == (7, held.deadline, False)
    # The role payments has it now.
    owner.post(PATH)
    assert len(world.payments.told) == 1


def test_somebody_elses_fresh_hold_is_not_there_and_stays_fresh(world: World, owner: FlaskClient) -> None:
    world.ledger.fresh[EVENT, PURCHASE] = fresh_hold()
    assert world.client(OTHER).post(PATH).status_code == 404
    assert world.payments.told == []
    assert (EVENT, PURCHASE) in world.ledger.fresh


def test_a_fresh_hold_whose_payment_nobody_has_read_yet_is_still_running(world: World, owner: FlaskClient) -> None:
    world.ledger.fresh[EVENT, PURCHASE] = fresh_hold()
    world.payments.rows.clear()
    assert (owner.post(PATH).status_code, len(world.payments.told)) == (409, 1)


def test_a_fresh_hold_without_a_provider_is_not_started(world: World, owner: FlaskClient) -> None:
    world.ledger.fresh[EVENT, PURCHASE] = fresh_hold()
    world.payments.provider = None
    assert owner.post(PATH).get_json()["type"] == "/problems/nothing-to-pay"


def test_a_provider_that_is_slow_is_waited_for_by_the_client(world: World, owner: FlaskClient) -> None:
    world.payments.hold(EVENT, PURCHASE, "authorizing")
    assert owner.post(PATH).status_code == 202
    assert world.payments.told == []


def test_a_declined_payment_is_tried_again(world: World, owner: FlaskClient) -> None:
    world.payments.hold(EVENT, PURCHASE, "declined", detail="no money")
    assert owner.get(PATH).get_json()["detail"] == "no money"
    assert owner.post(PATH).get_json()["state"] == "authorizing"
    assert len(world.payments.told) == 1


@pytest.mark.parametrize("state", ["confirming", "capturing", "captured", "refunding", "refunded", "voided", "ended"])
def test_what_is_paid_or_over_is_not_started_again(world: World, owner: FlaskClient, state: str) -> None:
    world.payments.hold(EVENT, PURCHASE, state)
    assert owner.post(PATH).get_json()["state"] == state
    assert world.payments.told == []


def test_a_hold_that_is_too_new_is_still_running(world: World, owner: FlaskClient) -> None:
    world.payments.rows.clear()
    assert (owner.post(PATH).status_code, owner.get(PATH).get_json()["type"]) == (409, "/problems/still-running")


def test_what_is_not_paid_online_has_no_payment(world: World, owner: FlaskClient) -> None:
    world.payments.rows.clear()
    free = world.sales.rows[EVENT, PURCHASE].model_copy(update={"payment": None})
    world.sales.rows[EVENT, PURCHASE] = free
    assert owner.post(PATH).get_json()["type"] == "/problems/nothing-to-pay"


def test_without_a_provider_nothing_is_started(world: World, owner: FlaskClient) -> None:
    world.payments.provider = None
    assert owner.post(PATH).get_json()["type"] == "/problems/nothing-to-pay"


def test_a_payment_that_may_not_be_in_the_log_is_not_promised(world: World, owner: FlaskClient) -> None:
    world.payments.down = True
    assert owner.post(PATH).status_code == 503


@pytest.mark.parametrize("method", ["post", "get"])
def test_somebody_elses_payment_is_not_there(world: World, owner: FlaskClient, method: str) -> None:
    assert getattr(world.client(OTHER), method)(PATH).status_code == 404
    assert getattr(world.app.test_client(), method)(PATH).status_code == 401


def test_it_takes_as_long_whether_somebody_elses_payment_is_there_or_not(
    world: World, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)

    monkeypatch.setattr(payments, "WAIT_S", 900.0)
    monkeypatch.setattr(payments, "asyncio", SimpleNamespace(sleep=sleep))
    for _ in range(2):
        world.client(OTHER).post(PATH)
        world.payments.rows.clear()
    assert [800 < pause <= 900 for pause in pauses] == [True, True]


@pytest.fixture
def waits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The purchases whose payments were waited for."""
    found: list[UUID] = []
    wait = world.payments.awaited

    async def awaited(event: UUID, purchase: UUID, *more: Any) -> Any:
        found.append(purchase)
        return await wait(event, purchase, *more)

    monkeypatch.setattr(world.payments, "awaited", awaited)
    return found


def test_a_payment_that_is_there_a_moment_later_is_shown(
    world: World, owner: FlaskClient, waits: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    find, early = world.payments.find, [None]
    monkeypatch.setattr(world.payments, "find", lambda *ids: early.pop() if early else find(*ids))
    assert (owner.get(PATH).get_json()["state"], waits) == ("due", [PURCHASE])


def test_nobody_waits_for_the_payment_of_what_is_free(world: World, owner: FlaskClient, waits: list[UUID]) -> None:
    world.payments.rows.clear()
    free = world.sales.rows[EVENT, PURCHASE].model_copy(update={"payment": None})
    world.sales.rows[EVENT, PURCHASE] = free
    assert (owner.get(PATH).get_json()["type"], waits) == ("/problems/nothing-to-pay", [])


def test_of_the_servers_threads_so_many_wait_at_once(
    world: World, owner: FlaskClient, waits: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = BoundedSemaphore(1)
    monkeypatch.setattr(payments, "waiting_threads", threads)
    world.payments.rows.clear()
    for _ in range(2):
        assert owner.get(PATH).get_json()["type"] == "/problems/still-running"
    assert len(waits) == 2
    with threads:
        assert owner.get(PATH).get_json()["type"] == "/problems/still-running"
    assert len(waits) == 2


def webhook(world: World, **more: Any) -> Any:
    fields: dict[str, Any] = {"data": b'{"id": 1}', "content_type": "application/json"}
    return world.app.test_client().post(DOOR, **(fields | {"headers": {"Paper-Signature": "good"}} | more))


def test_a_webhook_is_in_the_log_before_it_is_answered(world: World) -> None:
    of: dict[str, Any] = {"event": EVENT, "purchase": PURCHASE, "at": NOW}
    told = PaymentEvent(id="1", kind=PaymentEventKind.AUTHORIZED, **of)
    world.payments.webhooks[b'{"id": 1}'] = [told]
    assert webhook(world).status_code == 200
    assert world.payments.told == [told]
    world.payments.down = True
    assert webhook(world).status_code == 503


def test_a_dispute_is_in_the_log_with_the_organizer_who_is_told(world: World) -> None:
    organizer = make_account(world, Role.ORGANIZER, email="ada@owner.example")
    event = make_event(world, organizer).event.id
    for of, account in ((event, organizer), (EVENT, None)):
        told = PaymentEvent(id="1", kind=PaymentEventKind.DISPUTED, event=of, purchase=PURCHASE, at=NOW)
        world.payments.webhooks[b'{"id": 1}'] = [told]
        assert webhook(world).status_code == 200
        assert world.payments.told.pop().account == account


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"headers": {}}, 400, "webhook-refused"),
        ({"headers": {"Paper-Signature": "forged"}}, 400, "webhook-refused"),
        ({"data": b"x" * 70_000}, 413, "body-too-large"),
        ({"data": b"nope"}, 400, "malformed-request"),
        ({"content_type": "text/plain"}, 415, "unsupported-media-type"),
    ],
)
def test_a_webhook_that_is_not_the_providers_is_refused(
    world: World, more: dict[str, Any], status: int, kind: str
) -> None:
    answer = webhook(world, **more)
    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{kind}")
    assert world.payments.told == []


def test_a_provider_that_is_not_there_has_no_door(world: World) -> None:
    assert world.app.test_client().post("/api/v3/payment-webhooks/nobody", json={}).status_code == 404
