"""A copy of the ledger's records knows the definitions by which it sells, each in its event's partition."""

from contextlib import closing
from pathlib import Path

import pytest

from connect.partitioning import partition_of
from ops.scratch import LedgerCopy, Scratch, ScratchFailed
from settings import Settings
from tables.messages.commands import DefineEvent
from tests.unit.tables.ledger_driver import EVENT, OTHER_EVENT, LedgerDriver, definition, ticket_type


def test_definitions_are_found_in_the_partition_of_their_event(tmp_path: Path) -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(), version=7)
    with closing(LedgerCopy(Settings(ticket_key="k" * 32), tmp_path)) as copy:
        copy._tables[partition_of(str(EVENT).encode(), 4)].take_over(list(driver.table.items()))
        assert copy.definitions([EVENT, OTHER_EVENT]) == {EVENT: DefineEvent(EVENT, 7, definition(ticket_type()))}
        assert sum(len(list(records)) for records in copy.scans()) == len(driver.table)


def test_a_folder_that_another_process_has_open_is_named(tmp_path: Path) -> None:
    with closing(Scratch(tmp_path / "0")), pytest.raises(ScratchFailed, match=rf"^{tmp_path}/0 can't be used: .*lock"):
        Scratch(tmp_path / "0")
