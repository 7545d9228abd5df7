"""The comparison of what the log makes with what the workers wrote."""

from contextlib import closing
from pathlib import Path

import pytest

from ops.command_log import carry_out
from ops.replay import compare
from ops.scratch import Scratch
from tables.ledger.event_replay import LogCommand
from tables.ledger.records import (
    WATERMARK_KEY,
    Watermark,
    decode_purchase,
    encode_record,
    encode_watermark,
    purchase_key,
)
from tables.messages.commands import Buy, Cancel, Command, DefineEvent, TicketLine
from tests.unit.tables.ledger.test_records import in_long_form
from tests.unit.tables.ledger_driver import ADA, CODES, EVENT, FLOOR, LedgerDriver, definition, purchase_id, ticket_type
from tests.unit.tables.ledger_driver import NOW as AT
from tests.unit.tables.modelled_log import records_of


@pytest.fixture
def driver() -> LedgerDriver:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 10))
    driver.buy(1)
    driver.buy(2)
    return driver


def compared(
    tmp_path: Path, rebuilt: dict[bytes, bytes], written: dict[bytes, bytes], end: int
) -> tuple[int, list[str]]:
    with closing(Scratch(tmp_path / "rebuilt")) as one, closing(Scratch(tmp_path / "written")) as other:
        one.write(rebuilt.items())
        other.take_over(list(written.items()))
        return compare(one, other, end)


def test_what_comes_of_the_log_is_what_was_written(tmp_path: Path, driver: LedgerDriver) -> None:
    mark = {WATERMARK_KEY: encode_watermark(Watermark(2, b"d"))}
    assert compared(tmp_path, driver.table, driver.table | mark, 3) == (len(driver.table), [])


def test_a_record_in_the_form_of_an_earlier_version_is_no_difference(tmp_path: Path, driver: LedgerDriver) -> None:
    driver.cancel(1)
    key = purchase_key(EVENT, purchase_id(1))
    earlier = encode_record(in_long_form(decode_purchase(driver.table[key])))
    assert earlier != driver.table[key]
    assert compared(tmp_path, driver.table, driver.table | {key: earlier}, 9) == (len(driver.table), [])


@pytest.mark.parametrize("decided", [True, False])
def test_a_partial_cancel_without_a_request_is_replayed_only_where_a_worker_decided_it(
    tmp_path: Path, *, decided: bool
) -> None:
    part = Cancel(EVENT, purchase_id(1), ADA, None, [TicketLine(FLOOR, 1)])
    kind = DefineEvent(EVENT, 1, definition(ticket_type(FLOOR, 10)))
    log: list[Command] = [kind, Buy(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 1)]), part]
    worker = LedgerDriver(batch=1)
    for command in log if decided else log[:2]:
        worker.send(command)
    records = records_of(LogCommand(offset, AT, command) for offset, command in enumerate(log))
    with closing(Scratch(tmp_path / "rebuilt")) as rebuilt, closing(Scratch(tmp_path / "written")) as written:
        written.take_over(list(worker.table.items()))
        assert carry_out([records], 1, CODES, rebuilt, written) == (len(log) - (not decided), AT)
        assert compare(rebuilt, written, 3) == (len(worker.table), [])


def test_what_was_written_since_is_no_difference(tmp_path: Path, driver: LedgerDriver) -> None:
    before = dict(driver.table)
    driver.buy(3)
    same, different = compared(tmp_path, before, driver.table, 3)
    assert (same, different) == (2, [])


def test_a_record_that_differs_is_missing_or_comes_of_nothing_is_told(tmp_path: Path, driver: LedgerDriver) -> None:
    keys = sorted(driver.table)
    older = LedgerDriver(batch=1)
    older.define(ticket_type(FLOOR, 11))
    written = {key: driver.table[key] for key in keys[1:]} | {b"x": driver.table[keys[2]]}
    event = next(key for key in keys if key[16:17] == b"e")
    written |= {event: older.table[event]}
    _, different = compared(tmp_path, driver.table, written, 3)
    assert sorted(text.split(" ", 1)[1] for text in different) == [
        "does not follow from the log",
        "is not in the changelog",
        "is of offset 0, the log makes it of offset 2",
    ]


def test_an_older_record_never_replaces_a_newer_one_in_a_scratch_table(tmp_path: Path, driver: LedgerDriver) -> None:
    [event] = [key for key in driver.table if key[16:17] == b"e"]
    older = LedgerDriver(batch=1)
    older.define(ticket_type(FLOOR, 10))
    with closing(Scratch(tmp_path / "one")) as scratch:
        scratch.take_over([(event, driver.table[event]), (event, older.table[event])])
        assert scratch.load([event]) == [driver.table[event]]
