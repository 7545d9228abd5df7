"""The availability of a ticket type, as one word and as counts."""

from decimal import Decimal

import msgspec
import pytest

from tables.ledger.availability import availability
from tables.ledger.inventory import TicketStock
from tables.ledger.views import event_view
from tables.messages.availability import Availability
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import EVENT, FLOOR, NOW, STAND, LedgerDriver, moment, ticket_type


def word(held: int, sold: int, quantity: int = 10, status: EventStatus = EventStatus.ACTIVE) -> str:
    return availability(status, TicketStock(ticket_type(quantity=quantity), held, sold), NOW).value


@pytest.mark.parametrize(
    ("held", "sold", "quantity", "expected"),
    [
        (0, 0, 10, "available"),
        (4, 4, 10, "available"),
        (4, 5, 10, "low"),
        (0, 9, 10, "low"),
        (0, 89, 100, "available"),
        (0, 90, 100, "low"),
        (0, 0, 1, "available"),
        (10, 0, 10, "held"),
        (1, 9, 10, "held"),
        (0, 10, 10, "sold_out"),
        (0, 0, 0, "sold_out"),
        (2, 4, 5, "held"),
        (1, 5, 5, "sold_out"),
        (0, 7, 5, "sold_out"),
    ],
)
def test_a_ticket_types_word_follows_from_its_figures(held: int, sold: int, quantity: int, expected: str) -> None:
    assert word(held, sold, quantity) == expected


@pytest.mark.parametrize("status", set(EventStatus) - {EventStatus.ACTIVE}, ids=str)
def test_an_event_that_is_not_active_is_the_word_for_all_its_types(status: EventStatus) -> None:
    assert word(0, 0, status=status) == word(0, 10, status=status) == f"event_{status.value.lower()}"


def test_every_status_of_an_event_has_its_word() -> None:
    words = {Availability(f"event_{status.value.lower()}") for status in EventStatus if status != "ACTIVE"}
    assert words == {each for each in Availability if each.startswith("event_")}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - 1, "not_on_sale_yet"),
        (NOW, "available"),
        (NOW + 999, "available"),
        (NOW + 1_000, "sale_over"),
    ],
)
def test_the_words_of_a_sales_window_change_with_the_rule_that_sells(
    driver: LedgerDriver, at: int, expected: str
) -> None:
    kind = ticket_type(sale_starts_at=moment(NOW), sale_ends_at=moment(NOW + 1_000))
    assert availability(EventStatus.ACTIVE, TicketStock(kind), at).value == expected
    driver.define(kind)
    driver.at = at
    assert (driver.buy(1).reason is None) == (expected == "available")


def test_an_events_view_has_the_figures_of_every_type_and_says_what_is_overcommitted(
    driver: LedgerDriver,
) -> None:
    driver.define(ticket_type(FLOOR), ticket_type(STAND, 5, price=Decimal(1)))
    driver.buy(1, [(FLOOR, 4)])
    driver.hold(2, [(FLOOR, 1), (STAND, 1)])
    driver.define(ticket_type(STAND, 1), ticket_type(FLOOR, 4), version=2)
    assert msgspec.to_builtins(event_view(driver.inventory(), NOW)) == {
        "event": str(EVENT),
        "version": 2,
        "offset": 3,
        "title": "A Night at the Opera",
        "status": "ACTIVE",
        "ticketTypes": [
            {
                "ticketType": str(STAND),
                "name": "type F2",
                "quantity": 1,
                "held": 1,
                "sold": 0,
                "available": 0,
                "overcommitted": False,
                "state": "held",
            },
            {
                "ticketType": str(FLOOR),
                "name": "type F1",
                "quantity": 4,
                "held": 1,
                "sold": 4,
                "available": 0,
                "overcommitted": True,
                "state": "sold_out",
            },
        ],
    }


@pytest.mark.parametrize(
    ("held", "sold", "state", "left"),
    [(0, 1, "available", 2), (1, 1, "available", 1), (1, 2, "held", 0), (0, 3, "sold_out", 0)],
)
def test_an_events_capacity_bounds_what_is_left_of_every_type(
    driver: LedgerDriver, held: int, sold: int, state: str, left: int
) -> None:
    driver.define(ticket_type(FLOOR, 3), ticket_type(STAND, 3), capacity=3)
    for number in range(sold):
        driver.buy(number + 1, [(FLOOR if number < 2 else STAND, 1)])
    if held:
        driver.hold(9, [(STAND, held)])
    shown = event_view(driver.inventory(), NOW).ticket_types
    assert {(each.state.value, each.available) for each in shown} == {(state, left)}
    assert (driver.buy(10, [(STAND, 1)]).reason is None) == (left > 0)
