"""A cancelled event ends all its purchases, in steps of the log, whatever crashes occur between them."""

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import tables.ledger.event_cancellation
from tables.ledger.outcome_builder import CommandResult
from tables.ledger.records import decode_event, event_key
from tables.messages.commands import Buy, Command, DefineEvent, EndPurchases, Hold
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus, PurchaseStatus
from tests.unit.tables.ledger_driver import (
    BOB,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    LedgerDriver,
    codes,
    definition,
    ledger_on,
    lines,
    purchase_id,
    refusal_of,
    refused,
    ticket_type,
)
from tests.unit.tables.ledger_worker import rebuild
from tests.unit.tables.random_logs import ACCOUNTS

SOLD = 20


def cancelled(driver: LedgerDriver, version: int = 2) -> None:
    driver.define(ticket_type(quantity=100), version=version, status=EventStatus.CANCELED)


def carry_on(driver: LedgerDriver, most: int = 500) -> list[Outcome]:
    """Carry out the steps until there is none."""
    outcomes: list[Outcome] = []
    while driver.following:
        step = driver.following.pop(0)
        assert isinstance(step, EndPurchases)
        outcomes += driver.send_all(replace(step, most=most))
    return outcomes


def test_holds_expire_and_sales_are_refunded(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    driver.buy(2, [(FLOOR, 2)], account=BOB)
    driver.hold(3)
    driver.cancel(3)
    driver.buy(4, [(FLOOR, 99)])
    cancelled(driver)

    hold, sale = carry_on(driver)

    assert (hold.kind, hold.status, hold.purchase) == (OutcomeKind.EXPIRED, PurchaseStatus.EXPIRED, purchase_id(1))
    assert (sale.kind, sale.status, sale.account) == (OutcomeKind.REFUNDED, PurchaseStatus.REFUNDED, BOB)
    assert sale.lines[0].codes == codes(2, 0, 1)
    assert sale.total is not None
    assert (str(sale.total.amount), hold.reason, sale.reason) == ("99.80", *[Reason.EVENT_CANCELED] * 2)
    assert sale.facts is not None
    assert sale.facts.status == "CANCELED"
    assert (driver.stock(), driver.counts(), driver.counts(BOB)) == ((0, 0), {}, {})
    assert refusal_of(driver.cancel(2, account=BOB)) == refused(Reason.NOTHING_TO_CANCEL, status="refunded")


@pytest.mark.parametrize("status", [EventStatus.POSTPONED, EventStatus.ON_HOLD, EventStatus.DONE])
def test_an_event_that_does_not_sell_now_keeps_what_is_out(driver: LedgerDriver, status: EventStatus) -> None:
    driver.define(ticket_type())
    driver.hold(1)
    driver.define(ticket_type(), version=2, status=status)
    assert driver.following == []
    driver.send(EndPurchases(EVENT, 2))
    assert driver.stock() == (1, 0)


def test_a_cancelled_event_that_has_nothing_out_needs_no_step(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.buy(1)
    driver.cancel(1)
    cancelled(driver)
    assert driver.following == []
    assert driver.send_all(EndPurchases(OTHER_EVENT, 1)) == ()


@pytest.mark.parametrize("most", [1, 2, 3, 7, 500])
def test_steps_are_bounded_and_end_everything_once(driver: LedgerDriver, most: int) -> None:
    driver.define(ticket_type(quantity=100))
    for number in range(SOLD):
        driver.buy(number, account=ACCOUNTS[number % 3])
    cancelled(driver)

    outcomes = carry_on(driver, most)

    assert [outcome.purchase for outcome in outcomes] == [purchase_id(number) for number in range(SOLD)]
    assert max(Counter(outcome.offset for outcome in outcomes).values()) == min(most, SOLD)
    assert driver.stock() == (0, 0)
    assert not any(driver.counts(account) for account in ACCOUNTS)


def test_a_step_sent_twice_does_nothing_and_is_followed_by_nothing(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=100))
    for number in range(6):
        driver.buy(number)
    cancelled(driver)
    first = EndPurchases(EVENT, 2, most=2)
    assert len(driver.send_all(first)) == 2
    driver.following.clear()
    assert driver.send_all(first) == ()
    assert driver.following == []


def test_a_sale_after_an_event_came_back_is_not_ended_by_steps_of_before(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=100))
    for number in range(4):
        driver.buy(number)
    cancelled(driver)
    first = EndPurchases(EVENT, 2, most=2)
    assert len(driver.send_all(first)) == 2
    begun, late = driver.offset, driver.following[-1]
    driver.define(ticket_type(quantity=100), version=3)
    driver.buy(10)
    assert driver.send_all(late) == ()
    assert driver.stock() == (0, 3)
    stale = driver.offset
    driver.following.clear()
    cancelled(driver, version=4)
    assert driver.send_all(late) == ()
    # A replay of the first one tells what it did, and does not go on.
    replay = driver.ledger.apply(begun, driver.at, first)
    assert (len(replay.outcomes), replay.commands) == (2, ())
    assert len(carry_on(driver)) == 3
    assert driver.stock() == (0, 0)
    assert driver.ledger.apply(stale, driver.at, late) == CommandResult()


def test_a_record_from_before_endings_were_noted_is_read_as_one_that_ends_nothing(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    driver.store()
    fields = msgspec.msgpack.decode(driver.table[event_key(EVENT)])
    assert decode_event(msgspec.msgpack.encode(fields[:4])).ending is None


class Kafka:
    """The log, the changelog and the outcomes, while workers start and crash at any write."""

    def __init__(self, log: list[Command], *, acknowledged_first: bool = False) -> None:
        self.log = log
        self.acknowledged_first = acknowledged_first
        self.committed = 0
        self.changelog: list[tuple[bytes, bytes]] = []
        self.outcomes: list[Outcome] = []
        self.crashes = 0

    def run(self, random: Random) -> None:
        while self.committed < len(self.log):
            self.work(random, boundary=random.choice([0, 1, 2, 3, 4, 4, None]))

    def work(self, random: Random, boundary: int | None) -> None:
        """Batches until the log ends; in one of them a crash comes after so many of its writes, or partway."""
        ledger = ledger_on(table := rebuild(self.changelog))
        at = self.committed
        fatal = random.randrange(at, len(self.log))
        while at < len(self.log):
            batch = self.log[at : at + random.choice([1, 2, 5])]
            answers = [ledger.apply(at + place, NOW, command) for place, command in enumerate(batch)]
            purchases, events = ledger.take_purchases(), ledger.take_events()
            table |= purchases | events
            writes: list[tuple[list[Any], list[Any]]] = [
                (self.changelog, list(purchases.items())),
                (self.changelog, list(events.items())),
                (self.outcomes, [outcome for answer in answers for outcome in answer.outcomes]),
                (self.log, [_small(each) for answer in answers for each in answer.commands]),
            ]
            crash = boundary is not None and at <= fatal < at + len(batch)
            for number, (topic, records) in enumerate(writes):
                if number == 3 and self.acknowledged_first:
                    self.committed = at + len(batch)
                if crash and number == boundary:
                    topic.extend(records[: random.randrange(len(records) + 1)])
                    self.crashes += 1
                    return
                topic.extend(records)
            if crash:
                self.crashes += 1
                return
            at += len(batch)
            self.committed = at if random.random() < 0.7 else self.committed
        self.committed = at


@pytest.mark.parametrize("seed", range(40))
def test_the_chain_survives_a_crash_at_any_write_and_does_not_fork(seed: int) -> None:
    end_through_crashes(seed)


def test_a_chain_whose_steps_are_acknowledged_before_what_follows_them_breaks() -> None:
    with pytest.raises(AssertionError):
        for seed in range(40):
            end_through_crashes(seed, acknowledged_first=True)


def test_steps_that_are_carried_out_whenever_they_come_fork_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.ledger.event_cancellation, "_is_due", lambda *_: True)
    with pytest.raises(AssertionError):
        for seed in range(40):
            end_through_crashes(seed)


def end_through_crashes(seed: int, *, acknowledged_first: bool = False) -> None:
    """Sell, cancel the event, crash repeatedly, and check the result."""
    random = Random(seed)
    log: list[Command] = [DefineEvent(EVENT, 1, definition(ticket_type(quantity=100)))]
    for number in range(SOLD):
        kind = random.choice([Buy, Hold])
        log.append(kind(EVENT, purchase_id(number), random.choice(ACCOUNTS), lines([(FLOOR, random.choice([1, 2]))])))
    log.append(DefineEvent(EVENT, 2, definition(ticket_type(quantity=100), status=EventStatus.CANCELED)))
    kafka = Kafka(log, acknowledged_first=acknowledged_first)

    kafka.run(random)

    table = rebuild(kafka.changelog)
    event = decode_event(table[event_key(EVENT)])
    assert [(stock.held, stock.sold) for stock in event.stock] == [(0, 0)]
    assert event.ending is not None
    assert event.ending.done
    ended = {
        (outcome.purchase, outcome.offset, outcome.kind)
        for outcome in kafka.outcomes
        if outcome.reason is Reason.EVENT_CANCELED
    }
    assert len(ended) == len({purchase for purchase, _, _ in ended}) == SOLD
    steps = len(kafka.log) - SOLD - 2
    assert steps <= SOLD / 2 + 1 + 2 * kafka.crashes
    again = ledger_on(fresh := dict[bytes, bytes]())
    for offset, command in enumerate(kafka.log):
        again.apply(offset, NOW, command)
    fresh |= again.take_purchases() | again.take_events()
    assert fresh == table


def _small(command: Command) -> Command:
    return replace(command, most=2) if isinstance(command, EndPurchases) else command
