"""The timer of reminders and the agent of outcomes, on a real table."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from msgspec.structs import replace

from connect.topics import OUTCOMES
from streams.mail import reminders
from streams.mail.bookings import MAILS_AT_ONCE, Bookings
from streams.mail.notifications import NotificationsAgent
from streams.mail.reminders import Reminders
from streams.runtime import produce
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.kafka_types import Record
from streams.runtime.table import OffsetTable
from streams.runtime.timer import run_timer
from tables.messages.mail_jobs import Job, decode_job
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import Outcome, encode_outcome
from tests.unit.tables.ledger_driver import NOW, LedgerDriver, purchase_id, ticket_type

PARTITION = 2


class World:
    """The agent and the timer on a table, and the mails that they asked for, with what was stored by then."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.now = float(NOW) / 1000
        self.bookings = Bookings(app)
        self.agent = NotificationsAgent(app, self.bookings)
        self.timer = Reminders(app, self.bookings, lambda partition: True, lambda: self.now)
        self.jobs: list[Job] = []
        self.letters: list[Record] = []
        self._offset = 0

    async def append(self, app: Any, topic: str, partition: int, records: list[Record]) -> None:
        if topic.startswith("dlq."):
            self.letters += records
        else:
            self.jobs += [decode_job(record.value) for record in records]

    def message(self, value: bytes | None) -> Any:
        self._offset += 1
        return SimpleNamespace(
            topic=OUTCOMES, partition=PARTITION, offset=self._offset, key=b"k", headers=[], value=value
        )

    def tell(self, *outcomes: Outcome | bytes | None) -> None:
        values = [encode_outcome(each) if isinstance(each, Outcome) else each for each in outcomes]
        asyncio.run(self.agent._handle([self.message(value) for value in values]))

    def look(self, seconds: float) -> int:
        self.now = NOW / 1000 + seconds
        return asyncio.run(self.timer.send_due(PARTITION))


@pytest.fixture
def world(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    async def publish(self: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        return

    world = World(app)
    app.flow_control.resume()
    monkeypatch.setattr(OffsetTable, "publish", publish)
    monkeypatch.setattr(produce, "append", world.append)
    yield world
    world.bookings.table.close()


@pytest.fixture
def driver() -> LedgerDriver:
    return LedgerDriver(batch=1)


def kinds(world: World) -> list[MailKind]:
    return [job.kind for job in world.jobs]


def test_a_hold_is_reminded_of_once(world: World, driver: LedgerDriver) -> None:
    world.tell(driver.define(ticket_type()), driver.hold(1), driver.hold(2), driver.confirm(2))
    world.jobs.clear()
    assert [world.look(seconds) for seconds in (479, 480, 481)] == [0, 1, 0]
    assert [(job.kind, job.purchase) for job in world.jobs] == [(MailKind.HOLD_ENDING, purchase_id(1))]


def test_a_change_goes_to_every_holder_page_by_page(world: World, driver: LedgerDriver) -> None:
    world.agent._mails_at_once = 3
    outcomes = [driver.define(ticket_type()), *(driver.buy(number) for number in range(8))]
    world.tell(*outcomes, driver.define(ticket_type(), version=2, venue="Fenice"), driver.buy(9))
    assert kinds(world).count(MailKind.CONFIRMED) == 9
    changed = {job.purchase for job in world.jobs if job.kind is MailKind.EVENT_CHANGED}
    assert changed == {purchase_id(number) for number in range(8)}


def change_for_eight_buyers(world: World, driver: LedgerDriver) -> Outcome | None:
    """A change of an event, which is told to three of its buyers a page; nothing else is to be sent."""
    world.agent._mails_at_once = 3
    world.tell(driver.define(ticket_type()), *(driver.buy(number) for number in range(8)))
    world.jobs.clear()
    return driver.define(ticket_type(), version=2, venue="Fenice")


def test_a_crash_between_two_pages_goes_on_from_the_last(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = change_for_eight_buyers(world, driver)
    append, left = world.append, [5]

    async def failing(app: Any, topic: str, partition: int, records: list[Record]) -> None:
        if len(world.jobs) >= left[0]:
            raise OSError("killed")
        await append(app, topic, partition, records)

    monkeypatch.setattr(produce, "append", failing)
    with pytest.raises(OSError, match="killed"):
        world.tell(change)
    monkeypatch.setattr(produce, "append", append)
    assert len(world.jobs) == 6
    world.tell(change)
    assert len(world.jobs) == 8
    world.tell(change)
    assert len({job.id for job in world.jobs}) == len(world.jobs) == 8


def test_a_rebalance_waits_for_one_page_of_a_change_and_the_next_worker_sends_the_rest(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = change_for_eight_buyers(world, driver)
    world.app.flow_control.suspend()
    with pytest.raises(Interrupted):
        world.tell(change)
    assert len(world.jobs) == 3
    world.app.flow_control.resume()
    world.tell(change)
    assert len({job.id for job in world.jobs}) == len(world.jobs) == 8


def test_a_crash_repeats_no_more_mails_than_are_stored_together(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.agent._mails_at_once = 3
    outcomes = [driver.define(ticket_type()), *(driver.buy(number) for number in range(8))]
    store = OffsetTable.store

    def failing(table: OffsetTable, partition: int, records: dict[bytes, bytes]) -> list[bytes]:
        if len(world.jobs) == 6:
            raise OSError("killed")
        return store(table, partition, records)

    monkeypatch.setattr(OffsetTable, "store", failing)
    with pytest.raises(OSError, match="killed"):
        world.tell(*outcomes)
    monkeypatch.setattr(OffsetTable, "store", store)
    world.tell(*outcomes)
    assert len({job.id for job in world.jobs}) == 8
    assert len(world.jobs) <= 8 + 3


def test_reminders_that_are_due_together_are_not_left_for_the_next_look(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = MAILS_AT_ONCE + 5
    world.tell(driver.define(ticket_type(quantity=holds)), *(driver.hold(number) for number in range(holds)))
    world.jobs.clear()
    world.now += 481
    monkeypatch.setattr(reminders, "working_partitions", lambda *_: [PARTITION])
    assert [asyncio.run(world.timer._send_all()) for _ in range(2)] == [True, False]
    assert kinds(world) == [MailKind.HOLD_ENDING] * holds


def test_poison_between_two_outcomes_delays_neither(world: World, driver: LedgerDriver) -> None:
    world.tell(driver.define(ticket_type()))
    first, second = driver.buy(1), driver.buy(2)
    lacking = replace(first, purchase=purchase_id(3), facts=None)
    world.tell(first, b"{", None, lacking, second)
    assert [job.purchase for job in world.jobs] == [purchase_id(1), purchase_id(2)]
    assert [record.value for record in world.letters] == [b"{", None, encode_outcome(lacking)]


def test_the_timer_trusts_the_bookings_only_once_all_outcomes_are_in(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = TP(OUTCOMES, PARTITION)
    ends: dict[TP, int | None] = {place: None}
    starts: dict[TP, int] = {}
    marker = 0
    consumer = SimpleNamespace(highwater=ends.get, start_offset=starts.get, next_readable=lambda _, due: due + marker)
    monkeypatch.setattr(type(world.app), "consumer", consumer, raising=False)
    assert not world.agent.is_caught_up(PARTITION)
    ends[place] = 3
    assert not world.agent.is_caught_up(PARTITION)
    starts[place] = 3  # none of the partition's outcomes was ever committed, so there is none to wait for
    assert world.agent.is_caught_up(PARTITION)
    starts[place] = 2
    assert not world.agent.is_caught_up(PARTITION)
    marker = 1
    assert world.agent.is_caught_up(PARTITION)
    ends[place] = 5
    assert not world.agent.is_caught_up(PARTITION)
    world._offset = 3
    world.tell(driver.define(ticket_type()))
    assert world.agent.is_caught_up(PARTITION)


def test_a_timer_that_is_interrupted_reminds_later(
    world: World, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, done = asyncio.Event(), asyncio.Event()

    async def interrupted(*_: object) -> None:
        tried.set()
        raise Interrupted

    async def append(*arguments: Any) -> None:
        await world.append(*arguments)
        done.set()

    world.tell(driver.define(ticket_type()), driver.hold(1))
    world.jobs.clear()
    world.now += 481
    monkeypatch.setattr(reminders, "working_partitions", lambda *_: [PARTITION])
    timer = Reminders(world.app, world.bookings, lambda partition: True, lambda: world.now)
    monkeypatch.setattr(produce, "append", interrupted)

    async def run() -> None:
        running = asyncio.create_task(run_timer(world.app, timer._send_all, name="reminders", interval_s=0.001))
        await tried.wait()
        monkeypatch.setattr(produce, "append", append)
        await done.wait()
        running.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert kinds(world) == [MailKind.HOLD_ENDING]
