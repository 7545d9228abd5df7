"""An event's offers, and how many tickets of each are left."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.errors import MalformedRecord
from tables.messages.availability import Tickets
from tables.messages.commands import EVENT_MAX_TICKET_TYPES
from tables.messages.encoding import from_milliseconds
from tables.offers import (
    EventOffer,
    SalePeriod,
    StockSnapshot,
    StockSnapshots,
    TicketOffer,
    cheapest,
    decode_offers,
    decode_stock,
    encode_stock,
    merge_newest,
)

STALLS, CIRCLE = UUID(int=1), UUID(int=2)


def offer(
    key: UUID = STALLS,
    quantity: int = 10,
    price: str = "10",
    currency: str = "EUR",
    starts: int | None = None,
    ends: int | None = None,
) -> TicketOffer:
    return TicketOffer(key, "Stalls", Decimal(price), currency, quantity, starts, ends)


def offered(
    *offers: TicketOffer, out: StockSnapshots | None = None, status: str = "ACTIVE", capacity: int | None = None
) -> EventOffer:
    return EventOffer(status, capacity, from_milliseconds(1_000), offers, out or {})


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
    assert offered(offer(quantity=10)).left == [10]
    assert offered(offer(quantity=10), out={STALLS: StockSnapshot(1, 2, 3)}).left == [5]
    assert offered(offer(quantity=3), out={STALLS: StockSnapshot(1, 2, 3)}).left == [0]


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
    event = offered(offer(quantity=quantity), out={STALLS: StockSnapshot(1, 0, sold)}, status=status)
    assert event.tickets(0) is word


def test_an_event_without_ticket_types_is_not_on_sale() -> None:
    assert offered().tickets(0) is Tickets.NOT_ON_SALE


@pytest.mark.parametrize(
    ("held", "sold", "word", "left"),
    [(0, 2, Tickets.AVAILABLE, 1), (1, 2, Tickets.HELD, 0), (0, 3, Tickets.SOLD_OUT, 0)],
)
def test_capacity_bounds_all_types_and_counts_those_that_are_no_longer_offered(
    held: int, sold: int, word: Tickets, left: int
) -> None:
    out = {STALLS: StockSnapshot(1, held, 0), UUID(int=9): StockSnapshot(1, 0, sold)}
    event = offered(offer(quantity=3), offer(CIRCLE, quantity=3), out=out, capacity=3)
    assert (event.tickets(0), event.left) == (word, [left, left])


def test_an_event_is_on_sale_while_one_of_its_types_is_and_until_its_end() -> None:
    early = offer(starts=100, ends=200)
    late = offer(CIRCLE, starts=300)
    assert list(offered(early, late).periods()) == [
        SalePeriod(Tickets.NOT_ON_SALE_YET, None, 100),
        SalePeriod(Tickets.AVAILABLE, 100, 200),
        SalePeriod(Tickets.NOT_ON_SALE_YET, 200, 300),
        SalePeriod(Tickets.AVAILABLE, 300, 1_000),
        SalePeriod(Tickets.SALE_OVER, 1_000, None),
    ]
    assert list(offered(early, status="POSTPONED").periods()) == [SalePeriod(Tickets.NOT_ON_SALE, None, None)]


def test_columns_read_back_what_was_written() -> None:
    stock: StockSnapshots = {STALLS: StockSnapshot(5, 1, 2)}
    assert decode_stock(encode_stock(stock)) == stock
    [read] = decode_offers(f'[{{"id":"{STALLS}","name":"a","price":"1.250","currency":"KWD","quantity":3}}]')
    assert (read.price, read.sale_starts_ms) == (Decimal("1.250"), None)
    [read] = decode_offers(
        f'[{{"id":"{STALLS}","name":"a","price":"1","currency":"EUR","quantity":3,"sale_ends_ms":1893456000000}}]'
    )
    assert read.sale_ends_ms == 1_893_456_000_000


def test_no_more_types_are_read_than_an_event_may_have() -> None:
    one = f'{{"id":"{STALLS}","name":"a","price":"1","currency":"EUR","quantity":3}}'
    assert len(decode_offers(f"[{','.join([one] * EVENT_MAX_TICKET_TYPES)}]")) == EVENT_MAX_TICKET_TYPES
    with pytest.raises(MalformedRecord, match=r"length <= 200.* in column offers"):
        decode_offers(f"[{','.join([one] * (EVENT_MAX_TICKET_TYPES + 1))}]")


@pytest.mark.parametrize("text", ["", "{", "[[]]", '{"x": [1,2,3]}'])
def test_a_column_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(MalformedRecord):
        decode_offers(text)
    with pytest.raises(MalformedRecord):
        decode_stock(text)
