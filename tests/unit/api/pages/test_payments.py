"""The page on which a hold is paid."""

from typing import Any
from uuid import UUID

import pytest

from api.schemas.fields import Money
from api.schemas.purchase import Payment
from providers.port import PageFields
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.conftest import ticket
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader

PAGE = "http://pay.example/2"


@pytest.fixture
def held(reader: Reader, ledger: Ledger, on_sale: dict[str, Any]) -> str:
    """The path of a hold."""
    reader.get(f"/events/{on_sale['id']}")
    answer = reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 1})
    return str(answer.headers["Location"].partition("?")[0])


def ids_of(held: str) -> tuple[UUID, UUID]:
    event, _, purchase = held.rpartition("/")[2].partition(".")
    return UUID(event), UUID(purchase)


def pay(world: World, held: str, state: str) -> None:
    world.payments.hold(*ids_of(held), state, url=PAGE)


def change(world: World, held: str, **changes: Any) -> None:
    found = world.sales.rows[ids_of(held)]
    world.sales.rows[ids_of(held)] = found.model_copy(update=changes)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("due", "Pay €49.90"),
        ("authorizing", f'href="{PAGE}"'),
        ("declined", "The payment was declined"),
        ("declined", f'href="{PAGE}"'),
        ("confirming", "The tickets are being issued"),
        ("refunding", "on its way back"),
        ("refunded", "was paid back"),
    ],
)
def test_the_page_tells_how_to_go_on(world: World, reader: Reader, held: str, state: str, words: str) -> None:
    pay(world, held, state)
    reader.get(f"{held}/payment")
    assert words in reader.page


@pytest.mark.parametrize("state", ["voiding", "voided", "ended"])
@pytest.mark.parametrize(
    "changes", [{"status": "expired"}, {"payment": Payment(due=Money(amount="49.90", currency="EUR"))}]
)
def test_a_hold_that_ended_before_it_was_paid_is_told(
    world: World, reader: Reader, held: str, state: str, changes: dict[str, Any]
) -> None:
    pay(world, held, state)
    change(world, held, **changes)
    reader.get(f"{held}/payment")
    assert "The time to pay has passed. Nothing was charged" in reader.page


@pytest.mark.parametrize("state", ["voiding", "voided", "ended"])
@pytest.mark.parametrize("status", ["held", "confirmed"])
def test_tickets_that_need_no_payment_any_more_are_not_told_as_lost(
    world: World, reader: Reader, held: str, state: str, status: str
) -> None:
    pay(world, held, state)
    change(world, held, status=status)
    assert reader.get(f"{held}/payment").headers["Location"] == held


def test_what_is_paid_leads_to_the_tickets(world: World, reader: Reader, held: str) -> None:
    pay(world, held, "captured")
    assert reader.get(f"{held}/payment").headers["Location"] == held


def test_where_no_provider_is_the_purchase_tells_what_is_due(world: World, reader: Reader, held: str) -> None:
    pay(world, held, "due")
    world.payments.provider = None
    assert reader.get(f"{held}/payment").headers["Location"] == held


def test_the_button_starts_the_payment(world: World, reader: Reader, held: str) -> None:
    pay(world, held, "due")
    reader.get(f"{held}/payment")
    assert reader.send(f"{held}/payment").headers["Location"] == f"{held}/payment"
    assert len(world.payments.told) == 1


def test_the_providers_own_fields_are_frames_of_its_host_on_that_page_alone(
    world: World, reader: Reader, held: str
) -> None:
    pay(world, held, "authorizing")
    world.payments.fields = PageFields("pk_test_1", "pi_1_secret_x")
    policy = reader.get(f"{held}/card").headers["Content-Security-Policy"]
    assert "script-src 'self' https://js.stripe.com https://*.js.stripe.com;" in policy
    assert 'data-key="pk_test_1" data-secret="pi_1_secret_x"' in reader.page
    assert "unsafe" not in policy
    assert "stripe" not in reader.get(f"{held}/payment").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("state", "fields"), [("authorizing", None), ("captured", PageFields("pk", "s")), ("voided", PageFields("pk", "s"))]
)
def test_there_is_no_page_of_fields_where_nothing_is_paid_on_it(
    world: World, reader: Reader, held: str, state: str, fields: PageFields | None
) -> None:
    pay(world, held, state)
    world.payments.fields = fields
    assert reader.get(f"{held}/card").headers["Location"] == f"{held}/payment"
