"""Refunds that the organizer orders over REST."""

from decimal import Decimal
from threading import BoundedSemaphore
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.paying import refunds
from api.purchasing.service import request_id
from api.roles import Role
from api.schemas.payment import Refund
from api.schemas.purchase import Purchase, public_id
from tables.messages.commands import Cancel, TicketLine
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine
from tables.messages.payment_events import PaymentEventKind
from tables.messages.reasons import Reason
from tables.payments.refund_orders import ORDERS_MAX
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import make_account
from tests.unit.api.pages.test_permissions import make_event

BUYER = UUID(int=3)
TICKET = UUID(int=9)
GOODWILL = {"amount": {"amount": "9.90", "currency": "EUR"}, "reason": "Behind a pillar"}
TICKETS = {"lines": [{"ticketTypeId": str(TICKET), "quantity": 1}], "reason": "Fell ill"}
KEY = {"Idempotency-Key": "one"}


class Shop:
    """A paid purchase, seen by the organizer of its event."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.organizer = make_account(world, Role.ORGANIZER, email="ada@owner.example")
        self.ids = make_event(world, self.organizer).event.id, uuid4()
        self.path = f"/api/v3/purchases/{public_id(*self.ids)}/refunds"
        world.sales.rows[self.ids] = Purchase(
            id=public_id(*self.ids), event_id=self.ids[0], account_id=BUYER, status="confirmed"
        )
        world.payments.hold(*self.ids, "captured", captured=Decimal("49.90"))
        world.payments.refundable = Decimal("49.90")
        self.client: FlaskClient = world.client(self.organizer, Role.ORGANIZER)

    def order(self, body: Any, headers: dict[str, str] | None = None) -> Any:
        return self.client.post(self.path, json=body, headers=KEY if headers is None else headers)

    def problem(self, body: Any) -> tuple[int, str]:
        answer = self.order(body)
        return answer.status_code, answer.get_json()["type"].rpartition("/")[2]


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_goodwill_is_ordered_once_with_who_and_why(shop: Shop) -> None:
    answers = [shop.order(GOODWILL), shop.order(GOODWILL)]
    assert [answer.status_code for answer in answers] == [201, 201]
    [told] = shop.world.payments.told
    assert (told.kind, told.amount, told.currency) == (PaymentEventKind.REFUND_ORDERED, Decimal("9.90"), "EUR")
    assert (told.account, told.reason, told.purchase) == (shop.organizer, "Behind a pillar", shop.ids[1])
    listed = shop.client.get(shop.path).get_json()
    assert listed["refundable"] == {"amount": "40.00", "currency": "EUR"}
    assert (listed["items"][0]["by"], listed["items"][0]["status"]) == (str(shop.organizer), "accepted")


@pytest.mark.parametrize(
    "body",
    [
        GOODWILL | {"reason": "another"},
        GOODWILL | {"amount": {"amount": "9.91", "currency": "EUR"}},
    ],
)
def test_a_key_that_was_used_for_another_refund_is_told(shop: Shop, body: dict[str, Any]) -> None:
    shop.order(GOODWILL)
    assert shop.problem(body) == (422, "idempotency-key-reused")
    assert len(shop.world.payments.told) == 1


def test_no_tickets_go_back_under_the_key_of_an_amount(shop: Shop) -> None:
    shop.order(GOODWILL)
    assert shop.problem(TICKETS | {"reason": GOODWILL["reason"]}) == (422, "idempotency-key-reused")
    assert shop.world.ledger.handed_in == []


def test_an_amount_under_the_key_of_tickets_is_told(shop: Shop) -> None:
    assert shop.order(TICKETS).status_code == 202
    assert shop.order(GOODWILL | {"reason": TICKETS["reason"]}).status_code == 422
    assert len(shop.world.payments.told) == 1


@pytest.mark.parametrize("body", [GOODWILL, TICKETS])
def test_an_order_that_is_sent_again_before_it_is_known_has_the_same_id(shop: Shop, body: dict[str, Any]) -> None:
    shop.world.payments.decides = False
    assert [shop.order(body).status_code, shop.order(body).status_code] == [202, 202]
    # Either kind, since a process of the previous version may get the second one.
    order = request_id(shop.ids[1], "refund", KEY["Idempotency-Key"])
    assert [each.request for each in shop.world.payments.told] == [order, order]


@pytest.mark.parametrize("body", [GOODWILL, TICKETS])
def test_an_order_of_a_version_that_did_not_store_its_kind_is_the_same_order(shop: Shop, body: dict[str, Any]) -> None:
    shop.order(body)
    [order] = shop.world.payments.orders
    shop.world.payments.orders = [order.model_copy(update={"goodwill": None, "status": "accepted"})]
    assert (shop.order(body).status_code, len(shop.world.payments.told)) == (201, 1)


def test_what_is_left_is_told_with_the_refusal(shop: Shop) -> None:
    too_much = GOODWILL | {"amount": {"amount": "49.91", "currency": "EUR"}}
    assert shop.problem(too_much) == (409, "refund-too-large")
    figures = shop.order(too_much).get_json()["figures"]
    assert figures == {"captured": "49.90", "refunded": "0.00", "refundable": "49.90", "currency": "EUR"}
    assert shop.world.payments.told == []


def test_all_that_is_left_can_be_ordered(shop: Shop) -> None:
    assert shop.order(GOODWILL | {"amount": {"amount": "49.90", "currency": "EUR"}}).status_code == 201


def test_a_payment_with_as_many_refunds_as_there_may_be_gets_no_more(shop: Shop) -> None:
    shop.order(GOODWILL)
    [order] = shop.world.payments.orders
    others = [order.model_copy(update={"id": uuid4()}) for _ in range(ORDERS_MAX - 1)]
    shop.world.payments.orders = others
    assert shop.order(GOODWILL).status_code == 201
    shop.world.payments.orders = [*others, order]
    body = GOODWILL | {"reason": "another"}
    answer = shop.order(body, {"Idempotency-Key": "two"})
    assert (answer.status_code, answer.get_json()["figures"]) == (409, {"limit": ORDERS_MAX})
    assert shop.order(GOODWILL).status_code == 201
    assert len(shop.world.payments.told) == 2


def test_an_order_that_is_decided_a_moment_later_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    payments, reads = shop.world.payments, []
    payments.decides = False

    def decide_at_last(pause_s: float) -> None:
        reads.append(pause_s)
        if len(reads) == 3:
            payments.decides = True
            payments.order(payments.told[0])

    monkeypatch.setattr(refunds, "time", SimpleNamespace(sleep=decide_at_last))
    monkeypatch.setattr(refunds, "POLL_PAUSES_S", (1, 2, 3, 4))
    assert shop.order(GOODWILL).status_code == 201
    assert reads == [1, 2, 3]


def test_where_all_threads_wait_an_order_is_told_as_it_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.world.payments.decides = False
    reads: list[float] = []
    monkeypatch.setattr(refunds, "time", SimpleNamespace(sleep=reads.append))
    threads = BoundedSemaphore(1)
    monkeypatch.setattr(refunds, "waiting_threads", threads)
    assert [shop.order(GOODWILL).status_code for _ in range(2)] == [202, 202]
    assert len(reads) == 2 * len(refunds.POLL_PAUSES_S)
    with threads:
        assert shop.order(GOODWILL).status_code == 202
    assert len(reads) == 2 * len(refunds.POLL_PAUSES_S)


@pytest.mark.parametrize("purchase", [None, {"account_id": None}])
def test_what_nobody_bought_has_no_refunds(shop: Shop, purchase: dict[str, Any] | None) -> None:
    """Or somebody whose account is deleted."""
    rows = shop.world.sales.rows
    known = rows.pop(shop.ids)
    if purchase is not None:
        rows[shop.ids] = known.model_copy(update=purchase)
    assert shop.problem(GOODWILL)[0] == 404
    assert shop.world.payments.told == []


def test_an_order_that_the_log_refused_is_told_as_refused(shop: Shop) -> None:
    shop.world.payments.decides = False
    assert shop.order(GOODWILL).status_code == 202
    order = shop.world.payments.told[0]
    said = {"amount": GOODWILL["amount"], "reason": "Behind a pillar", "by": shop.organizer, "at": order.at}
    shop.world.payments.orders.append(Refund.model_validate({"id": order.request, "status": "refused"} | said))
    assert shop.problem(GOODWILL) == (409, "refund-too-large")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (GOODWILL | {"amount": {"amount": "9.901", "currency": "EUR"}}, "/amount"),
        (GOODWILL | {"amount": {"amount": "9.90", "currency": "USD"}}, "/amount/currency"),
        (GOODWILL | {"amount": {"amount": "0.00", "currency": "EUR"}}, "/amount"),
        (GOODWILL | {"amount": {"amount": "-1", "currency": "EUR"}}, "/amount/amount"),
        (GOODWILL | {"reason": " "}, "/reason"),
        (GOODWILL | {"reason": "x" * 201}, "/reason"),
        (GOODWILL | {"reason": "a\0b"}, "/reason"),
        ({"amount": GOODWILL["amount"]}, "/reason"),
        ({"reason": "neither"}, ""),
        (GOODWILL | TICKETS, ""),
        (GOODWILL | {"seats": ["A-1-2"]}, ""),
    ],
)
def test_what_is_wrong_with_a_refund_is_told_by_its_field(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    answer = shop.order(body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert shop.world.payments.told == []


def test_without_a_key_nothing_is_ordered(shop: Shop) -> None:
    assert shop.order(GOODWILL, {}).get_json()["type"] == "/problems/idempotency-key-missing"
    assert shop.world.payments.told == []


def test_what_may_not_be_in_the_log_is_not_promised(shop: Shop) -> None:
    shop.world.payments.down = True
    assert shop.order(GOODWILL).status_code == 503


def test_what_was_not_paid_online_has_no_refunds(shop: Shop) -> None:
    shop.world.payments.rows.clear()
    assert shop.problem(GOODWILL) == (409, "nothing-to-pay")


def test_tickets_are_given_back_by_the_ledger_under_the_id_of_the_order(shop: Shop) -> None:
    asked: list[Cancel] = []

    def decide(command: Any) -> Outcome:
        asked.append(command)
        line = OutcomeLine(TICKET, "Stalls", 1, Decimal("49.90"))
        return outcome(command, OutcomeKind.CANCELLED, lines=(line,), request=command.request)

    shop.world.ledger.rule = decide
    assert shop.order(TICKETS).status_code == 202
    [told], [cancel] = shop.world.payments.told, asked
    assert (told.amount, told.request, told.reason) == (None, cancel.request, "Fell ill")
    assert (cancel.account, cancel.lines) == (BUYER, [TicketLine(TICKET, 1)])


def test_seats_are_given_back_by_name(shop: Shop) -> None:
    asked: list[Cancel] = []

    def decide(command: Any) -> Outcome:
        asked.append(command)
        line = OutcomeLine(TICKET, "Stalls", 1, Decimal("49.90"), seats=("A-1-2",))
        return outcome(command, OutcomeKind.CANCELLED, lines=(line,), request=command.request)

    shop.world.ledger.rule = decide
    assert shop.order({"seats": ["A-1-2"], "reason": "Fell ill"}).status_code == 202
    [told], [cancel] = shop.world.payments.told, asked
    assert (told.amount, told.request) == (None, cancel.request)
    assert (cancel.account, cancel.lines, cancel.seats) == (BUYER, [], ("A-1-2",))


def test_tickets_that_the_ledger_refuses_are_told(shop: Shop) -> None:
    shop.world.ledger.rule = lambda command: outcome(command, OutcomeKind.REFUSED, reason=Reason.NOTHING_TO_CANCEL)
    assert shop.problem(TICKETS) == (409, "nothing-to-cancel")


@pytest.mark.parametrize(
    ("refusal", "told"),
    [("nothing-to-cancel", (409, "nothing-to-cancel")), ("id-reused", (422, "idempotency-key-reused"))],
)
def test_an_order_whose_tickets_the_ledger_kept_is_told_with_its_reason(
    shop: Shop, refusal: str, told: tuple[int, str]
) -> None:
    def decide_later(command: Any) -> None:
        kept = {"status": "refused", "refusal": refusal}
        shop.world.payments.orders = [each.model_copy(update=kept) for each in shop.world.payments.orders]

    shop.world.ledger.rule = decide_later
    assert shop.problem(TICKETS) == told
    assert shop.client.get(shop.path).get_json()["items"][0]["refusal"] == refusal


def test_an_order_that_was_refused_once_is_not_told_so_when_its_tickets_go_back(shop: Shop) -> None:
    shop.world.ledger.rule = lambda command: outcome(command, OutcomeKind.REFUSED, reason=Reason.NOTHING_TO_CANCEL)
    assert shop.problem(TICKETS) == (409, "nothing-to-cancel")
    kept = {"status": "refused", "refusal": "nothing-to-cancel"}
    shop.world.payments.orders = [each.model_copy(update=kept) for each in shop.world.payments.orders]
    line = OutcomeLine(TICKET, "Stalls", 1, Decimal(1))
    shop.world.ledger.rule = lambda command: outcome(command, OutcomeKind.CANCELLED, lines=(line,))
    assert shop.order(TICKETS).status_code == 202
    shop.world.ledger.rule = lambda command: None
    assert shop.order(TICKETS).status_code == 202


def test_tickets_of_a_hold_that_nobody_paid_are_not_refunded(shop: Shop) -> None:
    shop.world.payments.hold(*shop.ids, "due")
    assert shop.problem(TICKETS) == (409, "refund-too-large")
    assert shop.world.payments.told == []


def test_nobody_but_the_organizer_and_administrators_refunds(shop: Shop) -> None:
    stranger = shop.world.client(uuid4(), Role.ORGANIZER)
    for client, status in ((shop.world.client(BUYER), 403), (stranger, 404)):
        assert client.post(shop.path, json=GOODWILL, headers=KEY).status_code == status
        assert client.get(shop.path).status_code == status
    administrator = shop.world.client(uuid4(), Role.ADMINISTRATOR)
    assert administrator.post(shop.path, json=GOODWILL, headers=KEY).status_code == 201
