"""Payments on real servers: paid, declined, a lost webhook, money back, a hold that nobody paid."""

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.roles import Role
from stack.member import HOST, NO_CAS, get
from tests.eventually import eventually
from tests.pipeline import Pipeline

Json = dict[str, Any]
PRICE = 1050


class Buyer:
    """An account with a purchase of two tickets that must be paid, and what Paper's books say of it."""

    def __init__(self, pipeline: Pipeline, event: str, kind: str) -> None:
        self.pipeline = pipeline
        self.account = pipeline.account()
        self.http = pipeline.client(self.account)
        held = pipeline.buy(event, kind, 2, self.account, headers={"Prefer": "wait=20"})
        assert (held.status_code, held.json()["status"]) == (201, "held"), held.text
        assert Decimal(held.json()["payment"]["due"]["amount"]) == 21
        self.path = f"/purchases/{held.json()['id']}"
        self.purchase = held.json()["id"].partition(".")[2]

    def start(self) -> str:
        """Start the payment; where it is paid."""

        def url() -> str | None:
            answer = self.http.post(f"{self.path}/payment")
            assert answer.status_code in (200, 202, 409), answer.text
            found: str | None = answer.json().get("url")
            return found

        return eventually(url, within=20)

    def choose(self, choice: str) -> None:
        """Press a button on Paper's page."""
        answer = httpx.post(self.start(), data={"choice": choice}, trust_env=False, verify=NO_CAS)
        assert answer.status_code == 303

    def becomes(self, status: str, payment: str, within: float = 20) -> Json:
        """Wait for the purchase's status and the payment's state."""

        def found() -> Json | None:
            purchase = self.http.get(self.path).json()
            money = self.http.get(f"{self.path}/payment").json()
            return money if (purchase["status"], money["state"]) == (status, payment) else None

        return eventually(found, within=within)

    def books(self) -> tuple[str, int, int]:
        """State, captured and refunded."""
        port = self.pipeline.stack.settings.paper_port
        [book] = [one for one in get(f"http://{HOST}:{port}/books.json").json() if one["purchase"] == self.purchase]
        return book["state"], book["captured"], book["refunded"]


@pytest.fixture(scope="module")
def on_sale(pipeline: Pipeline) -> tuple[str, str]:
    event, [kind] = pipeline.event(100, payment="online")
    return event, kind


@pytest.fixture
def buyer(pipeline: Pipeline, on_sale: tuple[str, str]) -> Buyer:
    return Buyer(pipeline, *on_sale)


def test_tickets_are_paid_and_given_back_for_money_in_parts(buyer: Buyer, on_sale: tuple[str, str]) -> None:
    answer = buyer.http.post(f"{buyer.path}/confirm")
    assert answer.status_code != 200, answer.text
    buyer.choose("decline")
    buyer.becomes("held", "declined")
    buyer.choose("approve")
    shown = buyer.becomes("confirmed", "captured")
    assert shown["captured"] == {"amount": "21.00", "currency": "EUR"}
    assert buyer.books() == ("captured", 2 * PRICE, 0)

    one = {"lines": [{"ticketTypeId": on_sale[1], "quantity": 1}]}
    for _ in range(2):
        assert buyer.http.post(f"{buyer.path}/cancel", json=one, headers={"Idempotency-Key": "one"}).is_success
    eventually(lambda: buyer.books() == ("captured", 2 * PRICE, PRICE), within=20)
    assert buyer.http.post(f"{buyer.path}/cancel").json()["status"] == "cancelled"
    buyer.becomes("cancelled", "refunded")
    assert buyer.books() == ("captured", 2 * PRICE, 2 * PRICE)


def test_the_organizer_refunds_a_part_and_then_a_ticket(
    buyer: Buyer, on_sale: tuple[str, str], pipeline: Pipeline
) -> None:
    buyer.choose("approve")
    buyer.becomes("confirmed", "captured")
    office = pipeline.client(uuid4(), Role.ADMINISTRATOR)
    goodwill = {"amount": {"amount": "3.50", "currency": "EUR"}, "reason": "Behind a pillar"}
    ticket = {"lines": [{"ticketTypeId": on_sale[1], "quantity": 1}], "reason": "Fell ill"}

    def ordered(body: Json, key: str) -> Json | None:
        answer = office.post(f"{buyer.path}/refunds", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (201, 202), answer.text
        found: Json = answer.json()
        return found if answer.status_code == 201 else None

    for body, key, amount in ((goodwill, "one", "3.50"), (goodwill, "one", "3.50"), (ticket, "two", "10.50")):
        assert eventually(partial(ordered, body, key), within=20)["amount"]["amount"] == amount
    eventually(lambda: buyer.books() == ("captured", 2 * PRICE, 350 + PRICE), within=20)
    beyond = goodwill | {"amount": {"amount": "7.01", "currency": "EUR"}}
    answer = office.post(f"{buyer.path}/refunds", json=beyond, headers={"Idempotency-Key": "three"})
    assert (answer.status_code, answer.json()["figures"]["refundable"]) == (409, "7.00"), answer.text
    listed = office.get(f"{buyer.path}/refunds").json()["items"]
    assert [(each["reason"], each["status"], each["goodwill"]) for each in listed] == [
        ("Behind a pillar", "accepted", True),
        ("Fell ill", "accepted", False),
    ]


def test_tickets_that_the_ledger_keeps_are_not_refunded_and_the_order_says_why(
    buyer: Buyer, on_sale: tuple[str, str], pipeline: Pipeline
) -> None:
    buyer.choose("approve")
    buyer.becomes("confirmed", "captured")
    office = pipeline.client(uuid4(), Role.ADMINISTRATOR)
    tickets = {"lines": [{"ticketTypeId": on_sale[1], "quantity": 3}], "reason": "Fell ill"}
    answer = office.post(f"{buyer.path}/refunds", json=tickets, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "nothing-to-cancel"), answer.text

    def refused() -> bool:
        [order] = office.get(f"{buyer.path}/refunds").json()["items"]
        return (order["status"], order.get("refusal")) == ("refused", "nothing-to-cancel")

    assert eventually(refused, within=20)
    assert buyer.books() == ("captured", 2 * PRICE, 0)
    [money] = office.get("/payments").json()["money"]
    assert Decimal(money["captured"]["amount"]) >= 21


def test_the_organizer_is_told_of_a_dispute_in_his_language(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10, payment="online", organizerId=pipeline.account(locale="de"))
    buyer = Buyer(pipeline, event, kind)
    page = buyer.start()
    buyer.choose("approve")
    buyer.becomes("confirmed", "captured")
    for _ in range(2):
        assert httpx.post(page, data={"choice": "dispute"}, trust_env=False, verify=NO_CAS).status_code == 303

    def told() -> list[str]:
        subjects = [mail["subject"] for mail in pipeline.mails(pipeline.title(event))]
        return [subject for subject in subjects if "angefochten" in subject]

    assert eventually(told, within=20) == [f"Zahlung angefochten: {pipeline.title(event)}"]
    assert buyer.http.get(f"{buyer.path}/payment").json()["disputed"]
    kinds = [mail["kind"] for mail in buyer.http.get(f"{buyer.path}/notifications").json()["items"]]
    assert "payment-disputed" not in kinds


def test_a_lost_webhook_is_made_good_by_asking(buyer: Buyer) -> None:
    buyer.choose("lose")
    buyer.becomes("confirmed", "captured", within=40)
    assert buyer.books() == ("captured", 2 * PRICE, 0)


def test_a_payment_for_a_hold_that_ended_is_released(buyer: Buyer) -> None:
    buyer.start()
    assert buyer.http.post(f"{buyer.path}/cancel").json()["status"] == "cancelled"
    buyer.becomes("cancelled", "voided")
    assert buyer.books() == ("voided", 0, 0)
