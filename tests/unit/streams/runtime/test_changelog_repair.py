"""The late writes of a paused worker are ignored and repaired; the table is real, Kafka is a list."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiokafka.errors import KafkaError
from faust.types import TP

import streams.runtime.changelog_repair
import streams.runtime.table
from connect.topics import COMMANDS, changelog
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.changelog import Progress
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.table import OffsetTable
from tables.errors import InvariantBroken
from tables.ledger.records import record_offset, same_record

PARTITION = 1
Rows = list[tuple[bytes, bytes]]


def value(offset: int, text: str = "") -> bytes:
    return msgspec.msgpack.encode([offset, text])


class Log:
    """One partition of a changelog."""

    def __init__(self, *rows: tuple[bytes, bytes]) -> None:
        self.rows: Rows = list(rows)
        self.at_once = 1
        self.broken_after = len(rows) + 1_000

    async def append(self, app: App, topic: str, partition: int, records: Iterable[Record]) -> Produced:
        begin = len(self.rows)
        self.rows += [(record.key or b"", record.value or b"") for record in records]
        return Produced(range(begin, len(self.rows)))

    async def changes(self, servers: str, topic: str, begins: dict[int, int]) -> AsyncIterator[tuple[int, Rows, int]]:
        assert list(begins) == [PARTITION]
        numbered = enumerate(self.rows[begins[PARTITION] :], begins[PARTITION])
        for _, group in groupby(numbered, lambda row: row[0] // self.at_once):
            rows = list(group)
            if rows[-1][0] >= self.broken_after:
                raise ConnectionError
            yield PARTITION, [row for _, row in rows], rows[-1][0] + 1


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Log], Log]:
    def use(log: Log) -> Log:
        monkeypatch.setattr(streams.runtime.table, "append", log.append)
        monkeypatch.setattr(streams.runtime.table, "append_once", log.append)
        monkeypatch.setattr(streams.runtime.table, "changes", log.changes)
        return log

    return use


def recover(app: App, table: OffsetTable, committed: int = 100) -> None:
    """As after a rebalance."""
    repair = ChangelogRepair(app, table, COMMANDS)
    consumer: Any = SimpleNamespace(committed={TP(COMMANDS, PARTITION): committed}.get)
    app.consumer = consumer
    asyncio.run(table.recover({PARTITION}))
    asyncio.run(repair.repair())


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_a_recovery_takes_the_newest_record_of_each_key_and_the_last_of_equal_ones(
    app: App, table: OffsetTable, use: Callable[[Log], Log], at_once: int
) -> None:
    rows = [(b"a", value(1)), (b"b", value(2)), (b"a", value(3, "first")), (b"a", value(3, "last")), (b"b", value(1))]
    use(Log(*rows)).at_once = at_once
    recover(app, table)
    assert (table.read(PARTITION, b"a"), table.read(PARTITION, b"b")) == (value(3, "last"), value(2))


def test_after_a_recovery_the_newest_record_of_each_key_is_the_last(
    app: App, table: OffsetTable, use: Callable[[Log], Log], caplog: pytest.LogCaptureFixture
) -> None:
    log = use(Log((b"a", value(5)), (b"b", value(6)), (b"a", value(4))))
    with caplog.at_level(logging.WARNING):
        recover(app, table)
    assert log.rows[3:] == [(b"a", value(5))]
    assert table.mark(PARTITION) == 3
    assert "appended 1 records again" in caplog.text


@pytest.mark.parametrize("at_once", [1, 100])
@pytest.mark.parametrize("foreign", [b"{}", b"\xc1", b"\x91\xa1a"])
def test_what_somebody_else_wrote_over_a_record_changes_nothing(
    app: App, table: OffsetTable, use: Callable[[Log], Log], foreign: bytes, at_once: int
) -> None:
    log = use(Log((b"a", value(5)), (b"b", value(0)), (b"a", foreign), (b"c", value(7))))
    log.at_once = at_once
    recover(app, table)
    assert table.read_all(PARTITION, [b"a", b"b", b"c"]) == [value(5), value(0), value(7)]
    assert log.rows[4:] == [(b"a", value(5))]


def test_a_worker_writes_over_what_somebody_else_wrote_meanwhile(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log())
    published(table, b"a", value(5))
    log.rows += [(b"a", b"{}"), (b"of nobody", b"{}")]
    published(table, b"b", value(6))
    assert log.rows[3:] == [(b"b", value(6)), (b"a", value(5))]


def test_what_comes_before_the_repair_ends_is_read_by_the_next_recovery(
    app: App, table: OffsetTable, use: Callable[[Log], Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = use(Log((b"a", value(5)), (b"a", value(4))))

    async def behind_another(*record: Any) -> Produced:
        log.rows.append((b"b", value(9)))
        return await log.append(*record)

    monkeypatch.setattr(streams.runtime.table, "append_once", behind_another)
    recover(app, table)
    assert table.mark(PARTITION) == 1
    recover(app, table)
    assert table.read(PARTITION, b"b") == value(9)


def test_what_the_replay_will_append_is_left_to_it(app: App, table: OffsetTable, use: Callable[[Log], Log]) -> None:
    log = use(Log((b"a", value(5)), (b"b", value(9)), (b"a", value(4)), (b"b", value(8))))
    recover(app, table, committed=6)
    assert log.rows[4:] == [(b"a", value(5))]


def test_after_an_ordinary_run_nothing_is_written_again(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log((b"a", value(5)), (b"b", value(6)), (b"a", value(4)), (b"a", value(6))))
    recover(app, table)
    assert (len(log.rows), table.mark(PARTITION)) == (4, 3)


def test_a_recovery_that_breaks_off_forgets_no_older_record(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log((b"a", value(5)), (b"a", value(4)), (b"b", value(6)), (b"c", value(7))))
    log.broken_after = 3
    with pytest.raises(ConnectionError):
        recover(app, table)
    assert table.mark(PARTITION) == 0
    log.broken_after = 100
    recover(app, table)
    assert log.rows[4:] == [(b"a", value(5))]


def test_a_warm_folder_reads_only_what_came_after(app: App, table: OffsetTable, use: Callable[[Log], Log]) -> None:
    log = use(Log((b"a", value(5)), (b"b", value(6))))
    recover(app, table)
    log.rows[0] = (b"a", b"not read again")
    log.rows.append((b"c", value(7)))
    recover(app, table)
    assert table.read(PARTITION, b"c") == value(7)


def published(table: OffsetTable, key: bytes, record: bytes) -> None:
    table.store(PARTITION, {key: record})
    asyncio.run(table.publish(PARTITION, {key: record}))


def test_a_worker_writes_over_what_a_stale_one_wrote_meanwhile(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log())
    published(table, b"a", value(5))
    log.rows += [(b"a", value(4))]
    published(table, b"b", value(6))
    assert log.rows[2:] == [(b"b", value(6)), (b"a", value(5))]
    published(table, b"b", value(7))
    assert (len(log.rows), table.mark(PARTITION)) == (5, 4)


def test_a_stale_worker_writes_over_nothing_and_its_mark_stays(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log())
    published(table, b"a", value(5))
    log.rows += [(b"a", value(8)), (b"n", value(8))]
    published(table, b"b", value(6))
    assert log.rows[3:] == [(b"b", value(6))]
    assert table.mark(PARTITION) == 0
    recover(app, table)
    assert table.read(PARTITION, b"a") == value(8)


def test_the_progress_of_a_long_reading_is_told_every_few_seconds(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 1.0, 6.0, 6.0, 7.0, 12.5])
    progress = Progress("changelog", 4_000, clock=lambda: next(times))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            progress.read(1_000)
        progress.end()
    assert [record.message for record in caplog.records] == [
        "changelog: 2000 of 4000 read (50 %)",
        "changelog: all 3000 read in 12.5 s",
    ]


def test_records_that_are_versioned_by_something_else_are_all_written_again(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log((b"a", value(500)), (b"a", value(400))))
    repair = ChangelogRepair(app, table)
    asyncio.run(table.recover({PARTITION}))
    asyncio.run(repair.repair())
    assert log.rows[2:] == [(b"a", value(500))]


@pytest.fixture
def ledger(app: App) -> Iterator[OffsetTable]:
    """The table as the ledger has it: a record is made by its offset."""
    table = OffsetTable.add(app, "strict", 4, record_offset, may_coexist=same_record)
    yield table
    table.close()


def test_two_records_of_one_offset_that_contradict_each_other_end_a_recovery(
    app: App, ledger: OffsetTable, use: Callable[[Log], Log]
) -> None:
    use(Log((b"a", value(3, "one")), (b"b", value(4)), (b"b", value(4)), (b"a", value(3, "other"))))
    with pytest.raises(InvariantBroken, match=r"strict-changelog\[1\]: key 61 has two .* of input offset 3"):
        recover(app, ledger)


def test_a_worker_that_is_contradicted_beside_it_ends(app: App, ledger: OffsetTable, use: Callable[[Log], Log]) -> None:
    log = use(Log())
    published(ledger, b"a", value(5, "one"))
    log.rows += [(b"a", value(5, "other"))]
    with pytest.raises(InvariantBroken, match="two different records of input offset 5"):
        published(ledger, b"b", value(6))


def owned(app: App, table: OffsetTable, log: Log) -> None:
    """The worker owns the partition and is at work."""
    state: Any = app
    place = TP(changelog(table.name), PARTITION)

    async def highwaters(*places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, len(log.rows))

    state.consumer = SimpleNamespace(highwaters=highwaters)
    state.assignor.assigned_actives = lambda: {place}
    state.rebalancing, state.tables.actives_ready = False, True


def test_an_idle_owner_finds_what_a_stale_worker_wrote_and_writes_over_it(
    app: App, table: OffsetTable, use: Callable[[Log], Log]
) -> None:
    log = use(Log())
    published(table, b"a", value(5))
    owned(app, table, log)
    repair = ChangelogRepair(app, table)
    asyncio.run(repair.check())
    assert (len(log.rows), app.counters.foreign_writes) == (1, {})
    log.rows += [(b"a", value(4))]
    asyncio.run(repair.check())
    assert log.rows[2:] == [(b"a", value(5))]
    assert app.counters.foreign_writes == {table.name: 1}
    asyncio.run(repair.check())
    assert len(log.rows) == 3


def test_nobody_looks_while_partitions_change_hands(app: App, table: OffsetTable, use: Callable[[Log], Log]) -> None:
    log = use(Log((b"a", value(4))))
    owned(app, table, log)
    table.read(PARTITION, b"a")
    state: Any = app
    state.rebalancing = True
    asyncio.run(ChangelogRepair(app, table).check())
    assert app.counters.foreign_writes == {}


def test_a_look_ends_when_partitions_change_hands(
    app: App, table: OffsetTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    repair = ChangelogRepair(app, table, interval_s=0.0)
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            await repair._cancel_check()
            await asyncio.sleep(60)
        app._stopped.set()

    repair.check = look  # type: ignore[method-assign]
    asyncio.run(asyncio.wait_for(repair._run(), 30))
    assert looks == 2


def test_a_table_that_a_look_finds_contradicted_ends_the_process(
    app: App, table: OffsetTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [KafkaError(), Interrupted(), InvariantBroken("two records")]
    ends: list[BaseException] = []

    def fail_stop(doing: str, error: BaseException) -> None:
        ends.append(error)
        app._stopped.set()

    async def look() -> None:
        raise faults.pop(0)

    monkeypatch.setattr(streams.runtime.changelog_repair, "fail_stop", fail_stop)
    repair = ChangelogRepair(app, table, interval_s=0.0)
    repair.check = look  # type: ignore[method-assign]
    asyncio.run(asyncio.wait_for(repair._run(), 30))
    assert [str(error) for error in ends] == ["two records"]
