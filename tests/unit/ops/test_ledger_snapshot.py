"""Snapshots of the ledger: whole after a crash's state, found by moment, and true where the log is cut."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

import ops.command_log
import ops.history
import ops.ledger_snapshot
from connect.folder_lock import locked
from ops.commands import event as event_command
from ops.commands import ledger as ledger_command
from ops.commands import why
from ops.ledger_snapshot import complete, make_snapshots
from ops.scratch import Scratch
from settings import Settings
from streams.inventory.snapshots import Snapshot, SnapshotDamaged, newest, oldest, snapshots_of
from tables.ledger.as_of import NOW as PRESENT
from tables.ledger.as_of import AsOf
from tables.ledger.event_replay import MemoryTable
from tables.ledger.ledger import Ledger
from tables.ledger.records import record_offset
from tables.messages.commands import Buy, Hold
from tests.unit.ops.forked import run_forked
from tests.unit.tables.ledger_driver import CODES, EVENT, purchase_id
from tests.unit.tables.modelled_log import RandomLog, model_after, records_of

LOG = [each for each in RandomLog(5, 400).commands if getattr(each.command, "is_repeatable", True)]
RECORDS = records_of(LOG)
KEY = "k" * 32
SETTINGS = Settings(ticket_key=KEY, partitions=1)


def carry_out(table: MemoryTable, first: int, last: int, written: int = 10**6) -> None:
    """Carry out commands of the log as one batch, and write so many of its records."""
    ledger = Ledger(table.load, table.scan, CODES)
    for each in LOG[first : last + 1]:
        ledger.apply(each.offset, each.at, each.command)
    table.write(list((ledger.take_purchases() | ledger.take_events()).items())[:written])


@cache
def rows_after(offset: int) -> Mapping[bytes, bytes]:
    table = MemoryTable()
    for place, each in enumerate(LOG):
        if each.offset <= offset:
            carry_out(table, place, place)
    return MappingProxyType(dict(table.scan()))


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets where the log begins and what is acknowledged, and what the changelog has."""

    def begin(begin: int = 0, acknowledged: int = 0, changelog: Mapping[bytes, bytes] | None = None) -> None:
        async def read_changelog(_kafka: Any, _partition: int, into: Scratch) -> int:
            into.write((changelog or {}).items())
            return 0

        def read_log(_now: Settings, _partition: int, first: int, end: int) -> Iterator[list[Any]]:
            assert first >= begin or first >= end
            yield [record for record in RECORDS if first <= record.offset < end]

        for module in (ops.command_log, ops.ledger_snapshot):
            monkeypatch.setattr(module, "read_log", read_log)
        for module in (ops.history, ops.ledger_snapshot):
            monkeypatch.setattr(module, "log_begin", lambda *_: begin)
            monkeypatch.setattr(module, "acknowledged", lambda _: {0: acknowledged})
        monkeypatch.setattr(ops.ledger_snapshot, "read_changelog", read_changelog)

    return begin


@pytest.mark.parametrize("written", [0, 1, 7, 20, 30, 10**6])
def test_a_state_that_a_crash_left_becomes_that_after_one_offset(tmp_path: Path, kafka: Any, written: int) -> None:
    kafka()
    for acknowledged in (40, 150, 330):
        torn = MemoryTable()
        carry_out(torn, 0, acknowledged)
        carry_out(torn, acknowledged + 1, acknowledged + 30, written)
        with closing(Scratch(tmp_path / str(acknowledged))) as table:
            table.write(torn.scan())
            made = complete(SETTINGS, tmp_path, 0, LOG[acknowledged].offset + 1, table)
            assert made is not None
            assert made.offset == max(record_offset(value) for _, value in torn.scan())
            assert dict(table.scan()) == rows_after(made.offset)
            assert made.at == next(each.at for each in LOG if each.offset == made.offset)


def test_a_partition_that_nobody_used_since_its_log_was_cut_is_stored_as_it_is(tmp_path: Path, kafka: Any) -> None:
    offset = LOG[-1].offset
    kafka(begin=offset + 1, acknowledged=offset + 1, changelog=rows_after(offset))
    [made] = make_snapshots(SETTINGS, tmp_path, 1)
    assert dict(made._rows(b"")) == rows_after(offset)
    assert made.at > 0


def test_snapshots_of_a_partition_are_bounded_in_number(tmp_path: Path, kafka: Any) -> None:
    for place in (50, 100, 100, 200):
        offset = LOG[place].offset
        kafka(acknowledged=offset + 1, changelog=rows_after(offset))
        [made] = make_snapshots(SETTINGS, tmp_path, 2)
        assert made.offset == max(record_offset(value) for value in rows_after(offset).values())
    kept = [each.path for each in snapshots_of(tmp_path, 0)]
    assert (len(kept), sorted(kept)) == (2, sorted(tmp_path.iterdir()))


def test_a_partition_without_records_has_none(tmp_path: Path, kafka: Any) -> None:
    kafka()
    assert list(make_snapshots(SETTINGS, tmp_path, 2)) == []
    assert list(tmp_path.iterdir()) == []


def test_the_snapshot_for_a_moment_is_one_that_the_log_continues(tmp_path: Path) -> None:
    made = [Snapshot(tmp_path, 0, offset, offset * 10) for offset in (5, 9, 20)]
    for each in (*made, Snapshot(tmp_path, 1, 7, 70)):
        each.path.mkdir()
    (tmp_path / "unfinished-0").mkdir()
    five, nine, twenty = made
    assert snapshots_of(tmp_path, 0) == [twenty, nine, five]
    assert newest(tmp_path, 0, 0, PRESENT) == twenty
    assert newest(tmp_path, 0, 0, AsOf(offset=19)) == newest(tmp_path, 0, 10, AsOf(at=199)) == nine
    assert newest(tmp_path, 0, 11, AsOf(offset=19)) is None
    assert newest(tmp_path, 0, 11, AsOf(offset=9)) == nine
    assert newest(None, 0, 0, PRESENT) is newest(tmp_path / "none", 0, 0, PRESENT) is None
    assert oldest(tmp_path, 0, 0, PRESENT) is None
    assert (oldest(tmp_path, 0, 3, PRESENT), oldest(tmp_path, 0, 7, PRESENT)) == (five, nine)


@pytest.fixture
def cut(tmp_path: Path, kafka: Any, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """A snapshot from the middle of the log, of which the first half is gone."""
    middle, last = LOG[200].offset, LOG[-1].offset
    kafka(acknowledged=middle + 1, changelog=rows_after(middle))
    now = Settings(ticket_key=KEY, partitions=1, ledger_snapshots=tmp_path)
    [made] = make_snapshots(now, tmp_path, 1)
    kafka(begin=made.offset + 1, acknowledged=last + 1)
    for module in (why, event_command, ledger_command):
        monkeypatch.setattr(module, "settings", lambda: now)
    return made


def run(command: Any, *arguments: Any) -> Any:
    done = CliRunner().invoke(command, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_an_event_is_shown_from_a_snapshot_on(cut: Snapshot) -> None:
    for offset in [cut.offset, *(each.offset for each in LOG[220::40])]:
        found = run(event_command.command, EVENT, "--as-of", offset)
        stock = {each["ticketType"]: (each["held"], each["sold"]) for each in found["ticketTypes"]}
        assert stock == model_after(LOG, offset).stock_of(str(EVENT))


def test_a_purchases_life_begins_with_what_the_snapshot_knows(cut: Snapshot) -> None:
    model, seen = model_after(LOG, LOG[-1].offset), set()
    for number in range(300):
        purchase = purchase_id(number)
        known = model.purchases.get((str(EVENT), str(purchase)))
        due = [it for it in model.outcomes if (it.event, it.purchase) == (str(EVENT), str(purchase))]
        if known is None or len(due) < 2 or number % 5:
            continue
        found = run(why.command, purchase, "--event", EVENT)
        assert found["purchase"]["status"] == known.status
        told = [(each["outcome"], each["reason"]) for each in found["steps"] if each["offset"] > cut.offset]
        assert told == [(it.kind, it.reason) for it in due if it.offset > cut.offset]
        before = [each for each in found["steps"] if each["offset"] <= cut.offset]
        assert all(each["command"] is None and each["stock"] is None and each["rule"] for each in before)
        seen.add(bool(before))
    assert seen == {True, False}


def test_a_purchase_that_the_log_no_longer_names_is_found_in_the_snapshot(cut: Snapshot) -> None:
    named = [(each.offset, each.command) for each in LOG if isinstance(each.command, Buy | Hold)]
    events: dict[UUID, set[tuple[UUID, bool]]] = {}
    for offset, command in named:
        events.setdefault(command.purchase, set()).add((command.event, offset > cut.offset))
    purchase, [(event, _)] = next((each, of) for each, of in events.items() if [late for _, late in of] == [False])
    done = CliRunner().invoke(why.command, [str(purchase)])
    assert (done.exit_code, f"event {event}" in done.output) == (0, True)
    assert "from before the snapshot" in done.output


def test_a_damaged_snapshot_is_told(cut: Snapshot) -> None:
    for file in cut.path.glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    with pytest.raises(SnapshotDamaged, match=cut.path.name):
        list(cut._rows(b""))


def test_the_command_needs_a_folder_and_prints_what_it_made(
    cut: Snapshot, kafka: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = LOG[-1].offset
    kafka(acknowledged=offset + 1, changelog=rows_after(offset))
    done = CliRunner().invoke(ledger_command.command, ["snapshot", "--keep", "1"])
    assert done.exit_code == 0
    assert [done.output.strip()] == [str(each) for each in cut.folder.glob("ledger-*")]
    monkeypatch.setattr(ledger_command, "settings", lambda: SETTINGS)
    done = CliRunner().invoke(ledger_command.command, ["snapshot"])
    assert (done.exit_code, "TURNSTILE_LEDGER_SNAPSHOTS" in done.output) == (1, True)


def test_snapshots_are_taken_again_and_again_where_that_is_asked_for(
    tmp_path: Path, kafka: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka(acknowledged=LOG[100].offset + 1, changelog=rows_after(LOG[100].offset))
    monkeypatch.setattr(ledger_command, "settings", lambda: SETTINGS.model_copy(update={"ledger_snapshots": tmp_path}))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    done = CliRunner().invoke(ledger_command.command, ["snapshot", "--every-hours", "6"])
    assert (done.output.count("ledger-0-"), slept) == (3, [21_600.0] * 3)
    # What the container is healthy by.
    assert {path.name for path in tmp_path.iterdir()} - {"taken"} == {Path(done.output.split()[-2]).name}
    assert (tmp_path / "taken").exists()


def test_the_command_of_the_container_says_what_it_lacks(tmp_path: Path) -> None:
    variables = {"TURNSTILE_TICKET_KEY": KEY}
    [ended] = run_forked(tmp_path, variables, "ledger snapshot --keep 8 --every-hours 6").values()
    assert ended.code == 1
    assert "TURNSTILE_LEDGER_SNAPSHOTS names no folder" in ended.errors


def test_a_second_one_at_the_same_time_is_refused_and_takes_nothing_from_the_first(tmp_path: Path) -> None:
    (tmp_path / "unfinished-0").mkdir()
    with locked(tmp_path), pytest.raises(BlockingIOError, match=f"another process is writing into {tmp_path}"):
        list(make_snapshots(SETTINGS, tmp_path, 3))
    assert (tmp_path / "unfinished-0").exists()
