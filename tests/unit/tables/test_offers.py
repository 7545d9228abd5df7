"""An event's offers, and how many tickets of each are left."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.errors import MalformedRecord
from tables.offers import (
    StockSnapshot,
    StockSnapshots,
    TicketOffer,
    Tickets,
    cheapest,
    decode_offers,
    decode_stock,
    encode_stock,
    event_availability,
    merge_newest,
    tickets_left,
)

STALLS, CIRCLE = UUID(int=1), UUID(int=2)


def offer(key: UUID = STALLS, quantity: int = 10, price: str = "10", currency: str = "EUR") -> TicketOffer:
    return TicketOffer(key, "Stalls", Decimal(price), currency, quantity)


def test_only_newer_news_counts() -> None:
    before: StockSnapshots = {STALLS: StockSnapshot(5, 1, 1)}
    assert merge_newest(before, {STALLS: StockSnapshot(4, 9, 9)}) == before
    assert merge_newest(before, {STALLS: StockSnapshot(5, 9, 9)}) == before
    assert merge_newest(before, {STALLS: StockSnapshot(6, 0, 2), CIRCLE: StockSnapshot(1, 0, 1)}) == {
        STALLS: StockSnapshot(6, 0, 2),
        CIRCLE: StockSnapshot(1, 0, 1),
    }


@given(st.permutations([{STALLS: StockSnapshot(at, at, at)} for at in range(4)] + [{CIRCLE: StockSnapshot(2, 0, 0)}]))
def test_any_order_of_news_ends_the_same(order: list[StockSnapshots]) -> None:
    stock: StockSnapshots = {}
    for news in [*order, *order]:
        stock = merge_newest(stock, news)
    assert stock == {STALLS: StockSnapshot(3, 3, 3), CIRCLE: StockSnapshot(2, 0, 0)}


def test_what_is_left_is_never_negative() -> None:
    assert tickets_left(offer(quantity=10), {}) == 10
    assert tickets_left(offer(quantity=10), {STALLS: StockSnapshot(1, 2, 3)}) == 5
    assert tickets_left(offer(quantity=3), {STALLS: StockSnapshot(1, 2, 3)}) == 0


def test_the_cheapest_is_found_in_the_first_ones_currency() -> None:
    offers = [offer(price="9"), offer(price="8.50"), offer(price="1", currency="USD")]
    assert cheapest(offers) == offers[1]
    assert cheapest([]) is None


@pytest.mark.parametrize(
    ("status", "quantity", "sold", "word"),
    [
        ("ACTIVE", 100, 0, Tickets.AVAILABLE),
        ("ACTIVE", 100, 89, Tickets.AVAILABLE),
        ("ACTIVE", 100, 90, Tickets.LOW),
        ("ACTIVE", 100, 100, Tickets.SOLD_OUT),
        ("SOLD_OUT", 100, 0, Tickets.SOLD_OUT),
        ("CANCELED", 100, 0, Tickets.NOT_ON_SALE),
    ],
)
def test_one_word_says_whether_there_are_tickets(status: str, quantity: int, sold: int, word: Tickets) -> None:
    assert event_availability(status, [offer(quantity=quantity)], {STALLS: StockSnapshot(1, 0, sold)}) is word


def test_an_event_without_ticket_types_is_not_on_sale() -> None:
    assert event_availability("ACTIVE", [], {}) is Tickets.NOT_ON_SALE


def test_columns_read_back_what_was_written() -> None:
    stock: StockSnapshots = {STALLS: StockSnapshot(5, 1, 2)}
    assert decode_stock(encode_stock(stock)) == stock
    [read] = decode_offers(f'[{{"id":"{STALLS}","name":"a","price":"1.250","currency":"KWD","quantity":3}}]')
    assert read.price == Decimal("1.250")


@pytest.mark.parametrize("text", ["", "{", "[[]]", '{"x": [1,2,3]}'])
def test_a_column_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(MalformedRecord):
        decode_offers(text)
    with pytest.raises(MalformedRecord):
        decode_stock(text)
