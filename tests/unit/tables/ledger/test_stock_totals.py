"""The invariants between two readings of an event's stock: nothing is oversold or negative."""

from tables.ledger.stock_totals import EventStock, StockTotals, broken_invariants, event_stock
from tests.unit.tables.ledger_driver import BOX, FLOOR, STAND, LedgerDriver, balance, ticket_type


def tally(held: int, sold: int, *, version: int = 1, quantity: int = 10) -> EventStock:
    return EventStock("Night", version, (balance(FLOOR, quantity, held, sold),))


def test_an_event_is_counted_over_all_types() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 10), ticket_type(BOX, 4))
    driver.buy(1, [(FLOOR, 3), (BOX, 1)])
    driver.hold(2, [(FLOOR, 2)])
    now = event_stock(driver.inventory())
    assert now.title == "A Night at the Opera"
    assert StockTotals().plus(now) == StockTotals(offered=14, held=2, sold=4, available=8)
    assert (now.out, now.overcommitted) == (6, 0)


def test_sums_add_up_over_events() -> None:
    assert StockTotals().plus(tally(1, 2)).plus(tally(3, 4)) == StockTotals(offered=20, held=4, sold=6, available=10)


def test_more_out_than_there_is_while_nobody_changed_the_event_is_a_breach() -> None:
    assert list(broken_invariants(tally(1, 9), tally(1, 10))) == ["oversold"]


def test_a_lowered_quantity_is_no_breach_nor_is_what_it_left_over() -> None:
    lowered = tally(1, 9, version=2, quantity=5)
    assert list(broken_invariants(tally(1, 9), lowered)) == []
    assert list(broken_invariants(lowered, tally(0, 10, version=2, quantity=5))) == []
    assert lowered.overcommitted == 5


def test_one_more_ticket_out_of_a_lowered_quantity_is_a_breach() -> None:
    lowered = tally(1, 9, version=2, quantity=5)
    assert list(broken_invariants(lowered, tally(2, 9, version=2, quantity=5))) == ["oversold"]


def test_the_first_look_knows_nothing_to_compare_with() -> None:
    assert list(broken_invariants(None, tally(1, 10))) == []


def test_fewer_than_none_is_a_breach_at_any_time() -> None:
    assert list(broken_invariants(None, tally(-1, 0))) == ["negative"]
    assert list(broken_invariants(None, EventStock("", 1, (balance(STAND, 1, 0, -1), balance(FLOOR, 1, 0, 0))))) == [
        "negative"
    ]
