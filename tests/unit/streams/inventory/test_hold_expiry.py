"""The timer of holds and the index that it reads; the table is real, the broker a fake."""

import asyncio
from typing import Any

import pytest

import streams.inventory.hold_limits
from connect.topics import COMMANDS
from streams.inventory import hold_expiry
from streams.inventory.hold_expiry import HoldExpiry
from streams.inventory.hold_limits import limits_of
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.table import OffsetTable
from streams.runtime.timer import run_timer
from tables.ledger.deadlines import HOLDS_PREFIX
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, UNLIMITED, encode_limits
from tables.ledger.records import event_key, purchase_key
from tables.messages.commands import Expire, decode_command
from tests.unit.tables.ledger_driver import EVENT, FLOOR, NOW, LedgerDriver, purchase_id, ticket_type

PARTITION = 2


class Broker:
    """Takes what is appended, at its own time."""

    def __init__(self) -> None:
        self.log: list[Expire] = []
        self.at = NOW

    async def append(self, app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        assert (topic, partition) == (COMMANDS, PARTITION)
        commands = [decode_command(record.value) for record in records]
        ends = [command for command in commands if isinstance(command, Expire)]
        assert [record.key for record in records] == [str(command.event).encode() for command in ends]
        self.log += ends
        return Produced(range(1_000 + len(self.log), 1_001 + len(self.log)), self.at)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(hold_expiry, "append", broker.append)
    return broker


@pytest.fixture
def driver() -> LedgerDriver:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(quantity=1_000))
    return driver


def entries(table: OffsetTable) -> list[bytes]:
    return [key for key, value in table.scan(PARTITION, HOLDS_PREFIX)]


def changes(driver: LedgerDriver) -> list[tuple[bytes, bytes]]:
    """The driver's table as a changelog."""
    driver.store()
    return list(driver.table.items())


def test_storing_keeps_the_index_and_no_scan_of_purchases_shows_it(table: OffsetTable, driver: LedgerDriver) -> None:
    driver.hold(1)
    driver.hold(2)
    driver.buy(3)

    assert sorted(table.store(PARTITION, driver.table)) == entries(table)
    assert len(entries(table)) == 2
    driver.confirm(1)
    assert table.store(PARTITION, driver.table) == entries(table)

    found = [key for key, _ in table.scan(PARTITION, EVENT.bytes)]
    assert found == sorted(driver.table)
    assert table.read(PARTITION, event_key(EVENT)) == driver.table[event_key(EVENT)]


def test_a_scan_can_begin_anywhere(table: OffsetTable, driver: LedgerDriver) -> None:
    for number in range(4):
        driver.buy(number)
    table.store(PARTITION, driver.table)
    keys = [purchase_key(EVENT, purchase_id(number)) for number in range(4)]

    assert [key for key, _ in table.scan(PARTITION, EVENT.bytes + b"p")] == keys
    assert [key for key, _ in table.scan(PARTITION, EVENT.bytes + b"p", keys[2])] == keys[2:]


def test_a_recovery_builds_the_index_and_an_older_record_does_not_bring_an_entry_back(
    table: OffsetTable, driver: LedgerDriver
) -> None:
    driver.hold(1)
    driver.hold(2)
    before = changes(driver)
    driver.cancel(1)

    table.apply_changes(PARTITION, [*before, *changes(driver), *before])

    assert len(entries(table)) == 1
    table.apply_changes(PARTITION, before)
    assert len(entries(table)) == 1
    assert (
        table.read(PARTITION, purchase_key(EVENT, purchase_id(1))) == driver.table[purchase_key(EVENT, purchase_id(1))]
    )


def test_the_timer_appends_an_expire_for_each_deadline_that_has_passed(
    app: App, table: OffsetTable, broker: Broker, driver: LedgerDriver
) -> None:
    now = [NOW]
    timer = HoldExpiry(app, table, clock=lambda: now[0])
    driver.hold(1, seconds=2)
    table.store(PARTITION, driver.table)
    assert not asyncio.run(timer.expire(PARTITION))
    driver.hold(2, [(FLOOR, 2)], seconds=1)
    timer.decided(PARTITION, driver.offset, table.store(PARTITION, driver.table))

    now[0] = broker.at = NOW + 1_000
    asyncio.run(timer.expire(PARTITION))
    asyncio.run(timer.expire(PARTITION))
    assert broker.log == [Expire(EVENT, purchase_id(2))]

    driver.at = now[0]
    driver.expire(2)
    timer.decided(PARTITION, driver.offset, table.store(PARTITION, driver.table))
    now[0] = broker.at = NOW + 2_000
    asyncio.run(timer.expire(PARTITION))
    assert broker.log == [Expire(EVENT, purchase_id(2)), Expire(EVENT, purchase_id(1))]
    # The ledger has refused it.
    timer.decided(PARTITION, 2_000, [])
    asyncio.run(timer.expire(PARTITION))
    assert broker.log[2:] == [Expire(EVENT, purchase_id(1))]
    driver.at = now[0]
    driver.expire(1)
    table.store(PARTITION, driver.table)
    assert entries(table) == []


def test_after_another_assignment_the_timer_finds_what_others_have_held(
    app: App, table: OffsetTable, broker: Broker, driver: LedgerDriver
) -> None:
    timer = HoldExpiry(app, table, clock=lambda: NOW + 1_000)
    for number, seconds in ((1, 600), (2, 1)):
        driver.hold(number, seconds=seconds)
        table.store(PARTITION, driver.table)
        asyncio.run(timer.expire(PARTITION))
    assert broker.log == []
    asyncio.run(app.on_partitions_assigned.send(set()))
    asyncio.run(timer.expire(PARTITION))
    assert broker.log == [Expire(EVENT, purchase_id(2))]


def test_a_timer_that_begins_anew_finds_what_came_due_meanwhile(
    app: App, table: OffsetTable, broker: Broker, driver: LedgerDriver
) -> None:
    for number in range(50):
        driver.hold(number, seconds=1)
    table.apply_changes(PARTITION, changes(driver))

    timer = HoldExpiry(app, table, clock=lambda: NOW + 60_000)
    broker.at = NOW + 60_000
    asyncio.run(timer.expire(PARTITION))
    asyncio.run(timer.expire(PARTITION))

    assert {command.purchase for command in broker.log} == {purchase_id(number) for number in range(50)}
    assert len(broker.log) == 50


def test_the_timer_sees_that_the_limits_on_holds_are_in_the_log_first(
    app: App, table: OffsetTable, broker: Broker, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended: list[Any] = []

    async def append(app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        appended.extend(decode_command(record.value) for record in records)
        return Produced(range(1), NOW)

    driver.hold(1, seconds=1)
    table.apply_changes(PARTITION, changes(driver))
    monkeypatch.setattr(streams.inventory.hold_limits, "append", append)
    monkeypatch.setattr(hold_expiry, "append", append)
    timer = HoldExpiry(app, table, clock=lambda: NOW + 60_000)
    monkeypatch.setattr(hold_expiry, "working_partitions", lambda *_: [PARTITION])
    assert not asyncio.run(timer._expire_all())
    assert appended == [limits_of(app.settings), Expire(EVENT, purchase_id(1))]


def test_a_timer_that_is_interrupted_goes_on_with_what_is_due(
    app: App, table: OffsetTable, broker: Broker, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, done = asyncio.Event(), asyncio.Event()

    async def interrupted(*_: object) -> Produced:
        tried.set()
        raise Interrupted

    async def append(*arguments: Any) -> Produced:
        place = await broker.append(*arguments)
        done.set()
        return place

    driver.hold(1, seconds=1)
    table.apply_changes(PARTITION, changes(driver))
    table.store(PARTITION, {HOLD_LIMITS_KEY: encode_limits(UNLIMITED.then(0, limits_of(app.settings)))})
    timer = HoldExpiry(app, table, clock=lambda: NOW + 60_000)
    monkeypatch.setattr(hold_expiry, "working_partitions", lambda *_: [PARTITION])
    monkeypatch.setattr(hold_expiry, "append", interrupted)

    async def run() -> None:
        running = asyncio.create_task(run_timer(app, timer._expire_all, name="hold expiry", interval_s=0.001))
        await tried.wait()
        monkeypatch.setattr(hold_expiry, "append", append)
        await done.wait()
        running.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert broker.log == [Expire(EVENT, purchase_id(1))]
