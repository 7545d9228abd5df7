"""The organizer's pages of payments: the list, refunds, and a hold that is confirmed with his own reference."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.pages.status_labels import PAYMENT_LABELS
from api.roles import Role
from api.schemas.fields import Money
from api.schemas.payment import CurrencyTotals, PaidPurchase, PaymentOverview, UnfinishedPayment
from api.schemas.purchase import BoughtLine, Payment, Purchase, public_id
from tables.messages.commands import Cancel, Confirm
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.payments.transitions import PaymentState
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader, make_account
from tests.unit.api.pages.test_organizer import signed_in
from tests.unit.api.pages.test_permissions import make_event

TICKET = UUID(int=9)
PRICE = Money.of(Decimal("49.90"), "EUR")


class Office:
    """A purchase of one ticket, seen by the organizer of its event."""

    def __init__(self, world: World) -> None:
        self.world = world
        organizer = make_account(world, Role.ORGANIZER, email="ada@owner.example")
        self.event = make_event(world, organizer).event.id
        self.ids = self.event, uuid4()
        self.path = f"/organize/purchases/{public_id(*self.ids)}"
        self.reader: Reader = signed_in(world, organizer)
        self.sold("confirmed", Payment(reference="pay-1"))
        world.payments.hold(*self.ids, "captured", captured=Decimal("49.90"))
        world.payments.refundable = Decimal("49.90")

    def sold(self, status: str, payment: Payment) -> None:
        line = BoughtLine(ticket_type_id=TICKET, name="Stalls", quantity=1, price=PRICE)
        of: dict[str, Any] = {"id": public_id(*self.ids), "event_id": self.event, "account_id": UUID(int=3)}
        self.world.sales.rows[self.ids] = Purchase(status=status, lines=[line], payment=payment, **of)

    def send(self, form: str, given: dict[str, Any]) -> int:
        self.reader.get(self.path)
        return self.reader.send(f"{self.path}/{form}", given).status_code


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_every_state_of_a_payment_has_its_label() -> None:
    assert set(PAYMENT_LABELS) == {state.value for state in PaymentState}


def test_the_list_leads_to_each_purchase_and_to_older_ones(office: Office) -> None:
    path = f"/organize/events/{office.event}/payments"
    office.reader.get(path)
    assert "Nothing was ordered" in office.reader.page
    money: dict[str, Any] = {"worth": PRICE, "captured": PRICE, "refunded": Money.of(Decimal(0), "EUR")}
    of: dict[str, Any] = {"id": public_id(*office.ids), "status": "confirmed", "made_at": NOW, **money}
    office.world.payments.purchases = [
        PaidPurchase(buyer="Grace Hopper", state="captured", disputed=True, **of),
        PaidPurchase(buyer="", state=None, disputed=False, **of),
    ]
    office.world.payments.following = "next"
    office.reader.get(path)
    for words in ("Grace Hopper", "Disputed", "Paid elsewhere", "Deleted account", office.path, "€0.00", "cursor=next"):
        assert words in office.reader.page


def test_goodwill_is_ordered_with_its_reason(office: Office) -> None:
    given = {"amount": "9,90", "reason": "Behind a pillar"}
    assert office.send("refunds", given) == 303
    office.reader.get(office.path)
    for words in ("Behind a pillar", "Accepted", "the organizer", "€9.90"):
        assert words in office.reader.page
    assert office.world.payments.told[0].amount == Decimal("9.90")


def test_a_repeated_form_refunds_nothing_more(office: Office) -> None:
    given = {"amount": "9.90", "reason": "Behind a pillar", "order_key": "1" * 32}
    assert [office.send("refunds", given), office.send("refunds", given)] == [303, 303]
    assert len(office.world.payments.told) == 1


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"amount": "x", "reason": "why"}, 422, "Please enter an amount"),
        ({"amount": "1.999", "reason": "why"}, 422, "more decimals than the currency"),
        ({"amount": "0", "reason": "why"}, 422, "Please enter an amount"),
        ({"amount": "1", "reason": ""}, 422, "Please fill this in."),
        ({"amount": "49.91", "reason": "why"}, 409, "more than what is left"),
        ({f"n-{TICKET}": "0", "why": "Fell ill"}, 422, "not valid"),
        ({f"n-{TICKET}": "1", "why": ""}, 422, "Please fill this in."),
    ],
)
def test_what_is_wrong_with_a_refund_is_told_in_words(
    office: Office, given: dict[str, str], status: int, words: str
) -> None:
    assert office.send("refunds", given) == status
    assert words in office.reader.page
    assert office.world.payments.told == []


def test_tickets_are_taken_back_and_refunded(office: Office) -> None:
    asked: list[Any] = []

    def decide(command: Any) -> Outcome:
        asked.append(command)
        return outcome(command, OutcomeKind.REFUSED, reason=Reason.NOTHING_TO_CANCEL)

    office.world.ledger.rule = decide
    assert office.send("refunds", {f"n-{TICKET}": "1", "why": "Fell ill"}) == 409
    assert isinstance(asked[0], Cancel)
    assert (asked[0].lines[0].ticket_type, asked[0].request) == (TICKET, office.world.payments.told[0].request)
    kept = {"status": "refused", "refusal": "nothing-to-cancel"}
    office.world.payments.orders = [office.world.payments.orders[0].model_copy(update=kept)]
    office.reader.get(office.path)
    assert "The buyer no longer has these tickets." in office.reader.page


def cancels_of_seats(office: Office, seats: list[str]) -> list[Any]:
    """The commands that the ledger, which refuses them, will get for a purchase of these seats."""
    line = BoughtLine(ticket_type_id=TICKET, name="Stalls", quantity=len(seats), price=PRICE, seats=seats)
    bought = office.world.sales.rows[office.ids]
    office.world.sales.rows[office.ids] = bought.model_copy(update={"lines": [line]})
    asked: list[Any] = []

    def decide(command: Any) -> Outcome:
        asked.append(command)
        return outcome(command, OutcomeKind.REFUSED, reason=Reason.NOTHING_TO_CANCEL)

    office.world.ledger.rule = decide
    return asked


def test_seats_are_refunded_by_name(office: Office) -> None:
    cancels = cancels_of_seats(office, ["A-1-1", "A-1-2"])
    office.reader.get(office.path)
    assert 'value="A-1-2"' in office.reader.page
    assert f'name="n-{TICKET}"' not in office.reader.page
    assert office.send("refunds", {"seat": "A-1-2", "why": "Fell ill"}) == 409
    assert (cancels[0].lines, cancels[0].seats) == ([], ("A-1-2",))
    assert 'value="A-1-2" checked' in office.reader.page


def test_a_hold_is_confirmed_with_the_reference_of_money_that_was_taken_elsewhere(office: Office) -> None:
    office.sold("held", Payment(due=PRICE, deadline=NOW))
    office.world.payments.hold(*office.ids, "due")
    office.world.payments.refundable = Decimal(0)
    assert office.send("confirm", {"reference": ""}) == 422
    assert office.send("confirm", {"reference": "bank 7"}) == 303
    [command] = office.world.ledger.handed_in
    assert isinstance(command, Confirm)
    assert (command.payment, command.account) == ("bank 7", UUID(int=3))


def test_a_purchase_that_nobody_paid_has_no_form_for_refunds(office: Office) -> None:
    office.world.payments.rows.clear()
    office.reader.get(office.path)
    assert f"{office.path}/refunds" not in office.reader.page


def test_operators_see_the_money_and_what_waits(world: World, office: Office) -> None:
    operator = Reader(world)
    token, _ = world.tokens.issue(uuid4(), frozenset({Role.ADMINISTRATOR}))
    operator.client.set_cookie("turnstile", token)
    operator.get("/board/payments")
    assert "Nothing waits" in operator.page
    nothing = Money.of(Decimal(0), "EUR")
    money = {"authorized": PRICE, "captured": nothing, "refunded": nothing, "goodwill": nothing, "fees": nothing}
    of: dict[str, Any] = {"id": public_id(*office.ids), "state": "refunding", "provider": "paper", "since": NOW}
    waiting = UnfinishedPayment(reference="pay-1", amount=PRICE, detail="no <balance>", **of)
    world.payments.seen = PaymentOverview(money=[CurrencyTotals(**money)], waiting={"refunding": 1}, oldest=[waiting])
    operator.get("/board/payments")
    for words in ("€49.90", "Refund on its way: 1", "pay-1", "no &lt;balance&gt;", office.path, "#paymentsstuck"):
        assert words in operator.page


def test_all_seats_of_a_large_purchase_are_refunded_at_once(office: Office) -> None:
    names = [f"A-1-{number}" for number in range(1, 61)]
    cancels = cancels_of_seats(office, names)
    assert office.send("refunds", {"seat": names, "why": "Fell ill"}) == 409
    assert list(cancels[0].seats) == names
    assert office.reader.page.count(" checked") == 60
