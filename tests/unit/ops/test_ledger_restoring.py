"""The ledger from a snapshot: every decision becomes the outcome that it had."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import ops.ledger_restoring
from ops.ledger_restoring import DatabaseAhead, LedgerNotEmpty, WrongPartitions, outcomes_of, restore_ledger
from ops.scratch import Scratch
from settings import Settings
from streams.inventory.snapshots import Snapshot
from tables.ledger.event_replay import MemoryTable
from tables.ledger.ledger import Ledger
from tables.ledger.records import WATERMARK_KEY
from tables.messages.outcomes import Outcome, OutcomeKind
from tests.unit.tables.ledger_driver import CODES
from tests.unit.tables.modelled_log import RandomLog

LOG = [each for each in RandomLog(5, 400).commands if getattr(each.command, "is_repeatable", True)]
SETTINGS = Settings(ticket_key="k" * 32, partitions=1)
AT = 1_700_000_000_000


def decided() -> tuple[MemoryTable, dict[tuple[Any, int], Outcome]]:
    """The table after the log, and the outcomes of all that changed a purchase, by purchase and offset."""
    table, outcomes = MemoryTable(), {}
    ledger = Ledger(table.load, table.scan, CODES)
    for each in LOG:
        for outcome in ledger.apply(each.offset, each.at, each.command).outcomes:
            if outcome.purchase is not None and not outcome.repeated and outcome.kind is not OutcomeKind.REFUSED:
                outcomes[outcome.purchase, outcome.offset] = outcome
        table.write((ledger.take_purchases() | ledger.take_events()).items())
    return table, outcomes


def test_every_decision_on_a_purchase_becomes_its_outcome_again() -> None:
    table, wanted = decided()
    found = {(it.purchase, it.offset): it for it in outcomes_of(table.scan(), CODES, AT) if it.purchase is not None}
    assert found.keys() == wanted.keys()
    assert len(found) > 50
    for key, outcome in wanted.items():
        again = found[key]
        for name in ("kind", "event", "at", "account", "status", "reason", "lines", "left", "total", "deadline"):
            assert getattr(again, name) == getattr(outcome, name), (name, outcome)


def test_every_event_tells_its_stock() -> None:
    table, _ = decided()
    told = [it for it in outcomes_of(table.scan(), CODES, AT) if it.kind is OutcomeKind.CHANGED and it.purchase is None]
    assert told
    assert all(it.balance for it in told)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the changelog has, and what is done to Kafka."""
    state: dict[str, Any] = {"purchases_to": {}, "changelog": {}, "skipped": [], "appended": {}}

    async def read_changelog(_kafka: Any, _partition: int, into: Scratch) -> int:
        into.write(state["changelog"].items())
        return 0

    async def append_all(_now: Settings, place: Any, rows: Iterator[tuple[bytes, bytes]]) -> None:
        state["appended"][place.topic] = dict(rows)

    module = ops.ledger_restoring
    monkeypatch.setattr(module, "read_changelog", read_changelog)
    monkeypatch.setattr(module, "append_all", append_all)
    monkeypatch.setattr(module, "skip", lambda _now, place, first, last, _why: state["skipped"].append((first, last)))
    monkeypatch.setattr(module, "purchases_to", lambda _: state["purchases_to"])
    monkeypatch.setattr(module, "_begin_mails_after", lambda _: None)
    return state


def snapshot(folder: Path, rows: dict[bytes, bytes]) -> Snapshot:
    made = Snapshot(folder, 0, LOG[-1].offset, AT)
    with closing(Scratch(made.path)) as table:
        table.write(rows.items())
        table.flush()
    return made


def test_the_changelog_gets_the_records_and_no_offset_is_used_twice(tmp_path: Path, kafka: dict[str, Any]) -> None:
    rows = dict(decided()[0].scan())
    made = snapshot(tmp_path, rows)
    assert list(restore_ledger(SETTINGS, tmp_path)) == [made]
    assert kafka["appended"]["turnstile-ledger-changelog"] == rows
    assert kafka["skipped"] == [(0, LOG[-1].offset)]
    assert kafka["appended"]["ticket-purchase"]


def test_it_may_be_repeated_and_goes_over_nothing_else(tmp_path: Path, kafka: dict[str, Any]) -> None:
    rows = dict(decided()[0].scan())
    snapshot(tmp_path, rows)
    kafka["changelog"] = dict(list(rows.items())[:7])
    assert list(restore_ledger(SETTINGS, tmp_path))
    kafka["appended"].clear()
    kafka["changelog"] = {b"another": b"\x91\x05"}
    with pytest.raises(LedgerNotEmpty, match=r"turnstile-ledger-changelog\[0\] has records that are not of ledger-0-"):
        list(restore_ledger(SETTINGS, tmp_path))
    assert kafka["appended"] == {}


@pytest.mark.parametrize("partition", [0, 1])
def test_tickets_that_the_database_knows_to_be_sold_are_not_sold_again(
    tmp_path: Path, kafka: dict[str, Any], partition: int
) -> None:
    snapshot(tmp_path, dict(decided()[0].scan()))
    kafka["purchases_to"] = {partition: LOG[-1].offset + partition + 1}
    with pytest.raises(DatabaseAhead, match=f"purchases of partition {partition} up to offset"):
        list(restore_ledger(SETTINGS, tmp_path))
    assert kafka["appended"] == {}
    kafka["purchases_to"] = {0: LOG[-1].offset}
    assert list(restore_ledger(SETTINGS, tmp_path))


def test_a_ledger_of_another_number_of_partitions_is_refused(tmp_path: Path, kafka: dict[str, Any]) -> None:
    """Its events would be looked for in other partitions, and sold from the beginning."""
    snapshot(tmp_path, dict(decided()[0].scan()))
    with pytest.raises(WrongPartitions, match=r"ledger-0-\d+-\d+ is not of a ledger with 64 partitions"):
        list(restore_ledger(SETTINGS.model_copy(update={"partitions": 64}), tmp_path))
    Snapshot(tmp_path, 1, 5, AT).path.mkdir()
    with closing(Scratch(Snapshot(tmp_path, 1, 5, AT).path)) as table:
        table.write([(WATERMARK_KEY, b"")])
        table.flush()
    with pytest.raises(WrongPartitions, match="ledger-1-5-1700000000000 is not of a ledger with 1 partitions"):
        list(restore_ledger(SETTINGS, tmp_path))
    assert kafka["appended"] == {}
    assert kafka["skipped"] == []
