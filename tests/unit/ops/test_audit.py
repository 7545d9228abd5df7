"""The audit finds nothing in what a ledger wrote, and what somebody did to it."""

from random import Random
from uuid import UUID

import pytest
from msgspec.structs import replace

from ops.audit import Audit, Finding
from tables.ledger.records import (
    Holding,
    account_key,
    decode_account,
    decode_event,
    decode_purchase,
    encode_record,
    event_key,
    purchase_key,
)
from tables.messages.commands import Buy, TicketLine
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable
from tables.messages.statuses import EventStatus
from tests.unit.tables.halls import hall_pieces
from tests.unit.tables.ledger_driver import ADA, BOB, EVENT, FLOOR, STAND, LedgerDriver, purchase_id, ticket_type


@pytest.fixture
def driver() -> LedgerDriver:
    """A driver that has sold, held, given back and refused."""
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 4), ticket_type(STAND, 2), capacity=5)
    driver.buy(1, [(FLOOR, 2), (STAND, 1)])
    driver.hold(2, [(FLOOR, 1)], account=BOB)
    driver.buy(3, [(FLOOR, 2)], account=BOB)
    driver.confirm(2, account=BOB)
    driver.buy(4, [(STAND, 2)])
    driver.cancel(1, [(FLOOR, 1)])
    driver.buy(5, [(FLOOR, 2)])
    driver.buy(6, [(FLOOR, 2), (STAND, 1)])
    return driver


def audited(table: dict[bytes, bytes]) -> Audit:
    audit = Audit()
    audit.add(sorted(table.items()))
    return audit


def found(table: dict[bytes, bytes]) -> list[Finding]:
    return audited(table).findings


def test_nothing_is_wrong_with_what_a_ledger_wrote(driver: LedgerDriver) -> None:
    audit = Audit()
    audit.add(sorted(driver.table.items()))
    assert (audit.events, audit.purchases, audit.findings) == (1, 6, [])


def test_nothing_is_wrong_with_seats_that_are_taken_apart_from_each_other_or_sold_out() -> None:
    driver = LedgerDriver(batch=1)
    for piece in hall_pieces(1, {"A": ["fff"]}, EVENT):
        driver.send(piece)
    driver.define(ticket_type(FLOOR, 100), plan=1)
    lines = [
        TicketLine(FLOOR, 1, ("A-1-2",)),
        TicketLine(FLOOR, 1, ("A-1-2",)),
        TicketLine(FLOOR, 2, best=BestAvailable()),
        TicketLine(FLOOR, 3, best=BestAvailable()),
    ]
    outcomes = [driver.send(Buy(EVENT, purchase_id(number), ADA, [line])) for number, line in enumerate(lines)]
    reasons = [outcome.reason for outcome in outcomes if outcome]
    assert reasons == [None, Reason.SEAT_TAKEN, Reason.NO_ADJACENT_SEATS, Reason.SOLD_OUT]
    assert found(driver.table) == []


def test_the_events_that_sell_are_told(driver: LedgerDriver) -> None:
    assert audited(driver.table).selling == {EVENT}
    driver.define(ticket_type(), version=2, status=EventStatus.CANCELED)
    assert audited(driver.table).selling == set()


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_wrong_at_any_place_of_a_random_sale(seed: int) -> None:
    random = Random(seed)
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 9), ticket_type(STAND, 5), capacity=12)
    for number in range(60):
        wanted = [(random.choice((FLOOR, STAND)), random.randint(1, 3))]
        account = random.choice((ADA, BOB))
        earlier = random.randrange(number + 1)
        random.choice(
            (
                lambda number=number, wanted=wanted, account=account: driver.buy(number, wanted, account=account),
                lambda number=number, wanted=wanted, account=account: driver.hold(number, wanted, account=account),
                lambda earlier=earlier, account=account: driver.confirm(earlier, account=account),
                lambda earlier=earlier, account=account: driver.cancel(earlier, account=account),
            )
        )()
        assert found(driver.table) == []


def test_a_sale_that_no_counter_shows_is_found(driver: LedgerDriver) -> None:
    key = event_key(EVENT)
    record = decode_event(driver.table[key])
    record.stock[0].sold -= 1
    driver.table[key] = encode_record(record)
    [finding] = found(driver.table)
    assert (finding.promise, finding.event) == (1, EVENT)
    assert f"ticket type {FLOOR} says" in finding.text


def test_an_accounts_wrong_count_is_found(driver: LedgerDriver) -> None:
    key = account_key(EVENT, ADA)
    record = decode_account(driver.table[key])
    driver.table[key] = encode_record(replace(record, counts=[]))
    [finding] = found(driver.table)
    assert (finding.promise, finding.text.split(" is counted")[0]) == (1, f"account {ADA}")


def test_an_accounts_wrong_count_of_held_tickets_is_found(driver: LedgerDriver) -> None:
    driver.cancel(1)
    driver.hold(10, [(STAND, 1)])
    key = account_key(EVENT, ADA)
    record = decode_account(driver.table[key])
    driver.table[key] = encode_record(replace(record, holding=Holding(3, 0, [])))
    [finding] = found(driver.table)
    assert (finding.promise, finding.text) == (1, f"account {ADA} is counted with 3 tickets held, it holds 1")


def test_more_out_than_there_is_is_noted(driver: LedgerDriver) -> None:
    driver.define(ticket_type(FLOOR, 1), ticket_type(STAND, 2), version=2)
    [note] = found(driver.table)
    assert note.promise == 0
    assert "right only if the quantity was lowered" in note.text


def test_a_purchase_refused_while_there_were_tickets_is_found(driver: LedgerDriver) -> None:
    forged(driver, purchase_id(3), requested=1)
    [finding] = found(driver.table)
    assert (finding.promise, "refused as sold-out" in finding.text) == (2, True)


def test_a_purchase_refused_for_the_capacity_while_there_was_room_is_found(driver: LedgerDriver) -> None:
    forged(driver, purchase_id(4), limit=50)
    assert [finding.promise for finding in found(driver.table)] == [2]


def forged(driver: LedgerDriver, purchase: UUID, **figures: int) -> None:
    key = purchase_key(EVENT, purchase)
    record = decode_purchase(driver.table[key])
    first = record.history[0]
    history = (replace(first, figures=first.figures | figures), *record.history[1:])
    driver.table[key] = encode_record(replace(record, history=history))


def test_what_the_ledger_is_at_work_on_is_no_false_alarm(driver: LedgerDriver) -> None:
    before = dict(driver.table)
    driver.buy(7, [(FLOOR, 1)])
    assert (
        found(before | {purchase_key(EVENT, purchase_id(7)): driver.table[purchase_key(EVENT, purchase_id(7))]}) == []
    )
