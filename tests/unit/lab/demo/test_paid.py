"""The checker of an on-sale that is paid online sees each kind of damage in the provider's books."""

from typing import Any
from uuid import UUID

import pytest

from lab.demo.paid_sale import PaidPurchase, PaidSale, purchases_of
from lab.demo.paid_verdict import broken_promises

EVENT, TYPE, BUYER, ORGANIZER, PURCHASE = (UUID(int=number) for number in range(1, 6))
PRICE = 2490


def sale(status: str, tickets: int, stock: int = 10) -> PaidSale:
    purchase = PaidPurchase(BUYER, 2, ("approve",), 0, f"{EVENT}.{PURCHASE}", "", 0, status, tickets)
    return PaidSale(EVENT, TYPE, ORGANIZER, stock, [purchase])


def book(captured: int, refunded: int = 0, state: str = "captured") -> dict[str, Any]:
    ids = {"event": str(EVENT), "purchase": str(PURCHASE)}
    return {**ids, "state": state, "captured": captured, "refunded": refunded}


@pytest.mark.parametrize(
    ("sold", "books"),
    [
        (sale("confirmed", 2), [book(2 * PRICE)]),
        (sale("confirmed", 1), [book(2 * PRICE, PRICE)]),
        (sale("cancelled", 0), [book(2 * PRICE, 2 * PRICE)]),
        (sale("cancelled", 0), [book(0, 0, "voided")]),
        (sale("cancelled", 0), []),
    ],
)
def test_money_for_tickets_is_no_damage(sold: PaidSale, books: list[dict[str, Any]]) -> None:
    assert broken_promises(sold, books) == []


@pytest.mark.parametrize(
    ("sold", "books", "broken"),
    [
        (sale("cancelled", 0), [book(2 * PRICE)], "4980 was charged"),
        (sale("confirmed", 2), [], "0 was charged"),
        (sale("confirmed", 2), [book(2 * PRICE, PRICE)], "2490 was charged"),
        (sale("cancelled", 0), [book(0, 0, "authorized")], "is still authorized"),
        (sale("held", 0), [], "neither paid nor ended"),
        (sale("confirmed", 2, stock=1), [book(2 * PRICE)], "promise 1: 2 tickets are sold of 1"),
    ],
)
def test_each_kind_of_damage_is_seen(sold: PaidSale, books: list[dict[str, Any]], broken: str) -> None:
    [found] = broken_promises(sold, books)
    assert broken in found


def test_a_charge_for_a_purchase_that_nobody_knows_is_seen() -> None:
    unknown = book(PRICE) | {"purchase": str(UUID(int=9))}
    [found] = broken_promises(sale("cancelled", 0), [unknown])
    assert str(UUID(int=9)) in found


def test_the_same_crowd_comes_again() -> None:
    accounts = [UUID(int=number) for number in range(200)]
    first = purchases_of(accounts, 7)
    assert first == purchases_of(accounts, 7)
    assert {purchase.choices for purchase in first} == {
        ("approve",),
        ("decline", "approve"),
        ("decline",),
        ("lose",),
        (),
    }
    assert any(0 < purchase.returned < purchase.quantity for purchase in first)
