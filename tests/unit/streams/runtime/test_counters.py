"""A worker's counters, gauges and metrics page; the table is real, without a broker."""

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from connect.topics import changelog
from streams.inventory.stock_gauges import NAMED_EVENTS_MAX, OTHER, StockGauges
from streams.runtime import failstop
from streams.runtime.app import App
from streams.runtime.counters import Counters, verdict
from streams.runtime.table import OffsetTable
from tables.ledger.inventory import Inventory
from tables.ledger.records import event_key
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tests.unit.tables.ledger_driver import BOX, EVENT, FLOOR, LedgerDriver, definition, ticket_type

PARTITION = 2
# It never returns, as far as types go; here the process goes on.
fail_stop: Callable[[str, Exception], object] = failstop.fail_stop


@pytest.fixture
def gauges(app: App, table: OffsetTable, monkeypatch: pytest.MonkeyPatch) -> StockGauges:
    actives = {TP(changelog("ledger"), partition) for partition in (PARTITION, PARTITION + 1)}
    monkeypatch.setattr(app.assignor, "assigned_actives", lambda: actives)
    return StockGauges(app, table)


def value(source: Any, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(source)
    return registry.get_sample_value(name, labels)


def inventory(number: int = 1, *, version: int = 1, quantity: int = 10) -> Inventory:
    return Inventory(UUID(int=number), 0, version, definition(ticket_type(FLOOR, quantity), title=f"Event {number}"))


def test_a_batch_is_counted_with_the_time_that_each_record_waited() -> None:
    counters = Counters()
    now = time.time()
    messages: list[Any] = [SimpleNamespace(timestamp=now - age) for age in (0.0, 0.0, 20.0)]
    counters.count_batch("ledger", messages, 0.5)
    assert value(counters, "turnstile_agent_delay_seconds_bucket", agent="ledger", le="10") == 2
    assert value(counters, "turnstile_agent_delay_seconds_count", agent="ledger") == 3
    assert value(counters, "turnstile_agent_batches_total", agent="ledger") == 1
    assert value(counters, "turnstile_agent_busy_seconds_total", agent="ledger") == 0.5


def test_decisions_are_counted_by_outcome_and_reason() -> None:
    counters = Counters()
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(quantity=1))
    counters.decisions.update(map(verdict, [driver.buy(1), driver.buy(2), driver.buy(3)]))
    assert value(counters, "turnstile_decisions_total", outcome="confirmed", reason="") == 1
    assert value(counters, "turnstile_decisions_total", outcome="rejected", reason="sold-out") == 2
    assert set(counters.decisions) == {(OutcomeKind.CONFIRMED, None), (OutcomeKind.REJECTED, Reason.SOLD_OUT)}


def test_a_server_that_is_away_is_told_of_until_it_is_back() -> None:
    counters = Counters()
    counters.begin_wait("indexing", time.monotonic() - 30)
    assert value(counters, "turnstile_waiting_seconds", doing="indexing") == pytest.approx(30, abs=1)
    counters.end_wait("indexing")
    assert value(counters, "turnstile_waiting_seconds", doing="indexing") == 0


def test_a_worker_that_ended_itself_is_told_of_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os._exit", lambda status: None)
    monkeypatch.setattr(failstop, "_folders", [])
    failstop.record_in(tmp_path)
    for error in (ValueError(), ValueError(), KeyError()):
        fail_stop("agent ledger", error)
    assert failstop.recorded_stops(tmp_path) == {("agent ledger", "ValueError"): 2, ("agent ledger", "KeyError"): 1}


def test_the_ends_of_a_worker_in_a_crash_loop_take_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os._exit", lambda status: None)
    monkeypatch.setattr(failstop, "_folders", [tmp_path])
    (tmp_path / failstop.FILE_NAME).write_text("agent ledger\tKeyError\nagent ledger\tKeyError\n")
    for number in range(300):
        fail_stop(f"agent {number}", ValueError())
        fail_stop("agent ledger", KeyError())
    assert len((tmp_path / failstop.FILE_NAME).read_text().splitlines()) == failstop.REASONS_MAX
    assert failstop.recorded_stops(tmp_path)["agent ledger", "KeyError"] == 302


def test_a_folder_that_cannot_be_written_to_does_not_keep_a_worker_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr(failstop, "_folders", [])
    failstop.record_in(tmp_path / "missing")
    fail_stop("agent ledger", ValueError())
    assert ended == [failstop.EXIT_STATUS]
    assert not failstop.recorded_stops(tmp_path / "missing")


class Unread(io.StringIO):
    """An output whose reader is gone."""

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("spoiled", [b"\xff", b"agent\tKeyError\t1"])
def test_nothing_keeps_a_worker_from_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiled: bytes) -> None:
    """An error that left it would be taken for the end of the batch, which would be committed."""
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr("sys.stdout", Unread())
    monkeypatch.setattr(failstop, "_folders", [tmp_path])
    (tmp_path / failstop.FILE_NAME).write_bytes(spoiled)
    fail_stop("agent ledger", ValueError())
    assert ended == [failstop.EXIT_STATUS]
    assert failstop.recorded_stops(tmp_path)["agent ledger", "ValueError"] == 1


def test_the_tickets_of_an_event_are_told_by_name_and_the_rest_as_a_sum(gauges: StockGauges) -> None:
    gauges.changed(PARTITION, [inventory(number) for number in range(1, NAMED_EVENTS_MAX + 6)])
    for _ in range(3):
        gauges.changed(PARTITION, [inventory(7, quantity=99)])
    name = "turnstile_event_tickets"
    assert value(gauges, name, event=str(UUID(int=7)), title="Event 7", state="available") == 99
    assert value(gauges, name, event=OTHER, title="", state="offered") == 5 * 10
    samples = next(iter(gauges.collect())).samples
    assert len({sample.labels["event"] for sample in samples}) == NAMED_EVENTS_MAX + 1
    assert sum(sample.value for sample in samples if sample.labels["state"] == "offered") == 24 * 10 + 99


def test_what_no_batch_has_changed_is_read_from_the_table(gauges: StockGauges, table: OffsetTable) -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 10), ticket_type(BOX, 4))
    for number in range(30):
        driver.hold(number) if number < 3 else driver.buy(number)
    other = inventory(0xE0)
    table.store(PARTITION, driver.table | {event_key(other.id): other.record()})
    table.store(PARTITION + 1, {event_key(UUID(int=1)): inventory(1).record()})
    asyncio.run(gauges._read())
    name = "turnstile_event_tickets"
    title = "A Night at the Opera"
    assert value(gauges, name, event=str(EVENT), title=title, state="held") == 3
    assert value(gauges, name, event=str(EVENT), title=title, state="sold") == 7
    assert value(gauges, name, event=str(other.id), title="Event 224", state="available") == 10
    assert value(gauges, name, event=str(UUID(int=1)), title="Event 1", state="available") == 10


def test_a_warm_copy_of_another_workers_events_is_not_counted(gauges: StockGauges, table: OffsetTable) -> None:
    table.store(PARTITION - 1, {event_key(UUID(int=1)): inventory(1).record()})
    asyncio.run(gauges._read())
    assert value(gauges, "turnstile_event_tickets", event=OTHER, title="", state="offered") == 0
    assert value(gauges, "turnstile_event_tickets", event=str(UUID(int=1)), title="Event 1", state="offered") is None


def test_what_a_batch_changed_meanwhile_is_not_undone_by_what_is_read(gauges: StockGauges, table: OffsetTable) -> None:
    table.store(PARTITION, {event_key(UUID(int=1)): inventory(1, quantity=5).record()})
    gauges.changed(PARTITION, [inventory(1, quantity=6)])
    gauges._sum_up()
    asyncio.run(gauges._read())
    assert value(gauges, "turnstile_event_tickets", event=str(UUID(int=1)), title="Event 1", state="offered") == 6


def test_a_hold_whose_deadline_has_passed_is_overdue(gauges: StockGauges, table: OffsetTable) -> None:
    driver = LedgerDriver(batch=1)
    driver.at = round(time.time() * 1000) - 700_000
    driver.define(ticket_type())
    assert driver.hold(1, seconds=600).kind is OutcomeKind.HELD
    table.store(PARTITION, driver.table)
    gauges.changed(PARTITION, [driver.inventory()])
    assert value(gauges, "turnstile_hold_overdue_seconds") is not None
    overdue = value(gauges, "turnstile_hold_overdue_seconds")
    assert overdue == pytest.approx(100, abs=5)


def test_an_oversold_event_is_counted_once_for_each_look_that_finds_more_out(gauges: StockGauges) -> None:
    def look(sold: int) -> float | None:
        event = inventory(1)
        event.stock[FLOOR.int].sold = sold
        gauges.changed(PARTITION, [event])
        return value(gauges, "turnstile_invariant_breaches_total", invariant="oversold")

    assert [look(10), look(11), look(11), look(12)] == [0, 1, 1, 2]
    assert value(gauges, "turnstile_overcommitted_tickets") == 2


def test_partitions_that_are_given_up_are_told_of_no_more(gauges: StockGauges) -> None:
    gauges.changed(PARTITION, [inventory()])
    list(gauges.collect())
    asyncio.run(gauges._forget())
    assert value(gauges, "turnstile_event_tickets", event=OTHER, title="", state="offered") == 0
    assert value(gauges, "turnstile_event_tickets", event=str(UUID(int=1)), title="Event 1", state="held") is None


def test_what_is_counted_of_inputs_and_tables_begins_at_0() -> None:
    counters = Counters()
    counters.add_topic("ticket-commands")
    counters.add_table("ledger")

    told = {family.name: [(each.labels, each.value) for each in family.samples] for family in counters.collect()}

    assert told["turnstile_unreadable_records"] == [({"topic": "ticket-commands"}, 0)]
    assert told["turnstile_input_lost_records"] == [({"topic": "ticket-commands"}, 0)]
    assert told["turnstile_changelog_strangers"] == [({"table": "ledger"}, 0)]
